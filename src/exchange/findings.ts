import type { ApiError } from '../openai/api-error.ts'
import type { RateShare, Spending } from './spending.ts'

/** One attempt at an upstream, for the log. */
export interface Try {
  /** The target's name in the configuration. */
  readonly target: string
  /** undefined: no answer. */
  readonly status: number | undefined
  readonly ms: number
  /** Why the attempt was given up. */
  readonly why: string | undefined
}

/** The facts found about an exchange while it goes on: for the log, for headers, for observers. A new field is declared here. */
export class Findings {
  model: string | undefined = undefined
  /** The principal's name: a token's, `caller-` and a short digest of a key, `local`; `none` where nobody was let in. */
  principalName = 'none'
  /** The id of the ledger's key, and of its project, that the call is booked on; undefined: no ledger, or a caller's own key. */
  key: string | undefined = undefined
  project: string | undefined = undefined
  stream = false
  /** The upstream's own `x-request-id`, which is the one that the caller sees. */
  upstreamRequestId: string | undefined = undefined
  /** Calls that went upstream. */
  attempts = 0
  /** The name of the upstream that was asked last, or that gave the answer. */
  upstream: string | undefined = undefined
  /** Whether the last call had a connection of its own, or one of the pool where that had one. */
  connection: 'new' | 'pooled' | undefined = undefined
  /** Each attempt; only with a configuration file. */
  tries: Try[] | undefined = undefined
  /** The numbers of the parameter rules that the request is subject to; undefined: none. */
  rules: readonly number[] | undefined = undefined
  /** The changes that the parameter rules made to the body, such as `defaults=temperature; clamp=max_tokens`; empty: nothing. */
  params = ''
  /** The cache's result, as in `x-nexcode-cache`; undefined: the cache had no part in it. */
  cache: string | undefined = undefined
  /** Whether it got the answer of an earlier request with its `Idempotency-Key`: a finished one, or that of the call under way. */
  idempotent: 'replayed' | 'joined' | undefined = undefined
  /** false: the client's own retries would only repeat the attempts made here. */
  shouldRetry: false | undefined = undefined
  /** From arrival to the first byte of the upstream's body. */
  timeToFirstByteMs: number | undefined = undefined
  /** From the call's start to the upstream's headers. */
  upstreamMs: number | undefined = undefined
  status = 0
  /** What the limits of the caller's key leave to it, of requests and of tokens; undefined: it has no such limit. */
  requestRate: RateShare | undefined = undefined
  tokenRate: RateShare | undefined = undefined
  /** Whether a call was made for it that is booked by itself; undefined: its answer was there already, or nobody counts. */
  isMetered: true | undefined = undefined
  /** What it has used and cost; undefined: nobody counts, or it is not known yet. */
  spending: Spending | undefined = undefined
  /** The error of ours that answered it. */
  error: ApiError | undefined = undefined
  /** Whether a body that ends later reports the end. */
  isTapped = false
  /** Whether the answer is the upstream's, with all headers that are to be added. */
  isDelivered = false
}

type Name = keyof Findings

/** The fields that a child takes over from its parent at its beginning. */
const INHERITED = ['model', 'principalName', 'stream', 'rules', 'params'] as const satisfies readonly Name[]

/**
 * How a child's findings become its parent's. A field that is not named takes the place of the parent's where the child knows it: a new
 * field begins as undefined, and needs no row here.
 */
const MERGING: Partial<Record<Name, 'replace' | 'if first' | 'add' | 'append' | 'own'>> = {
  model: 'replace',
  stream: 'replace',
  upstreamRequestId: 'replace',
  rules: 'replace',
  params: 'replace',
  shouldRetry: 'replace',
  upstreamMs: 'replace',
  status: 'replace',
  timeToFirstByteMs: 'if first',
  attempts: 'add',
  tries: 'append',
  principalName: 'own',
  spending: 'own',
  error: 'own',
  isTapped: 'own',
  isDelivered: 'own',
}

const NAMES = Object.keys(new Findings()) as readonly Name[]

/** Copies a parent's findings to a new child. */
export function inherit(child: Findings, parent: Findings): void {
  for (const name of INHERITED) take(child, parent, name)
  if (parent.tries !== undefined) child.tries = []
}

/** Merges a child's findings into its parent's. The child's counts begin at zero again. */
export function merge(parent: Findings, child: Findings): void {
  for (const name of NAMES) {
    const how = MERGING[name]
    if (how === 'replace' || (how === undefined && child[name] !== undefined)) take(parent, child, name)
    else if (how === 'if first' && parent[name] === undefined) take(parent, child, name)
  }
  parent.attempts += child.attempts
  child.attempts = 0
  if (child.tries === undefined) return
  parent.tries = [...(parent.tries ?? []), ...child.tries]
  child.tries = []
}

function take<N extends Name>(parent: Findings, child: Findings, name: N): void {
  parent[name] = child[name]
}
