import type { Outcome } from '../../exchange/outcome.ts'
import { readCacheControl } from '../cache-control.ts'
import { isCoveredByKey } from '../keys/cache-key.ts'
import { isRoutingCookie } from '../keys/routing-cookies.ts'

/** The head of an answer, which decides whether it may be stored. */
export interface StorableAnswer {
  readonly status: number
  /** As they came from upstream. */
  readonly headers: Headers
}

/** The facts that decide beside the head. */
export interface StorableSettings {
  /** All callers share stored answers. */
  readonly isShared: boolean
}

/**
 * Whether an answer's head allows it to be stored: a 200 that varies by nothing but what the key holds.
 *
 * `no-store` is respected, and `private` where all callers share. `no-cache` is not: it comes with nearly every event stream,
 * and is meant for browsers. A `Set-Cookie` means a session of one client, but for the cookies of load balancers, which the
 * API of OpenAI sends with every answer; the header itself is never kept.
 *
 * @example
 * const source = isHeadStorable(answer, { isShared: false }) ? keep(answer) : answer
 */
export function isHeadStorable({ status, headers }: StorableAnswer, { isShared }: StorableSettings): boolean {
  if (status !== 200 || !isCoveredByKey(headers.get('vary'))) return false
  const directives = readCacheControl(headers.get('cache-control'))
  if (directives.has('no-store') || (isShared && directives.has('private'))) return false
  return headers.getSetCookie().every(isRoutingCookie)
}

/**
 * Whether an answer may be kept: its head allows it, and its body has come to its proper end.
 *
 * @example
 * if (isStorable(answer, outcome, { isShared: false }) && (await isWholeAnswer(endpoint, answer.headers, chunks))) …
 */
export function isStorable(answer: StorableAnswer, outcome: Outcome, settings: StorableSettings): boolean {
  return outcome.kind === 'complete' && isHeadStorable(answer, settings)
}
