import { type AnswerIds, findAnswerIds } from '../answers/answer-ids.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { holdsContent } from '../openai/contents.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { STATEFUL_RESOURCES } from '../openai/stateful-resources.ts'
import { namedIds, pathOf } from '../routing/named-ids.ts'
import type { RememberedIds, Whereabouts } from '../routing/remembered-ids.ts'
import type { Live } from '../routing/snapshot.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'
import type { Draft } from './draft.ts'

/** What is known of a request that has an answer. */
export interface AnsweredRequest {
  readonly exchange: Exchange
  readonly draft: Draft
  /** What its answer may name, as `objectsOf` gives it. */
  readonly objects: NamedObjects | undefined
  readonly route: Route
  readonly live: Live & { readonly sharedStore: Store | undefined }
}

/** Voices of a customer's own. */
const VOICES = /^audio\/voice/

/** The answer to a request may name objects that have to be remembered; these ids are named by the request itself. */
export type NamedObjects = ReadonlySet<string>

/**
 * Finds out whether the answer to a request may name objects that can be asked for later only where it came from, so that
 * their ids have to be remembered: gives those that its body names; undefined: it may not.
 *
 * @example
 * const objects = objectsOf(exchange, draft, live)
 */
export function objectsOf(exchange: Exchange, draft: Draft, live: Live): NamedObjects | undefined {
  return namesObjects(exchange, draft, live) ? idsIn('', draft.value) : undefined
}

function namesObjects(exchange: Exchange, draft: Draft, live: Live): boolean {
  if (!live.remembersIds) return false
  const { request, route, target } = exchange
  if (request.method === 'HEAD' || request.method === 'DELETE') return false
  // Completions that are stored are below `chat`.
  const endpoint = endpointOf(target)
  if (STATEFUL_RESOURCES.has(route) || route === 'chat' || VOICES.test(endpoint)) return !holdsContent(endpoint)
  const { value } = draft
  if (!isJsonObject(value)) return false
  const { store, modalities } = value
  return store === true || (Array.isArray(modalities) && modalities.includes('audio'))
}

/**
 * Makes what remembers the objects that a deployment's answer names; undefined: none has to be remembered.
 *
 * An id that the request has named says nothing new, unless its path asks for the very object that the answer is: whoever sends
 * somebody else's id must not have it remembered where the answer only repeats it.
 *
 * @example
 * const objectsIn = watchObjects(request, deployment, ids)
 * const found = objectsIn?.(answer.headers)
 */
export function watchObjects(
  answered: AnsweredRequest,
  deployment: Deployment,
  ids: RememberedIds,
): ((headers: Headers) => AnswerIds | undefined) | undefined {
  const { exchange, draft, objects: inBody, route, live } = answered
  if (inBody === undefined) return undefined
  const store = live.sharedStore
  const where: Whereabouts = { upstream: deployment.upstream.name, key: ids.keyDigest(deployment.key) }
  const itself =
    route.model?.reportModel === 'alias' && draft.model !== undefined ? { ...where, alias: draft.model } : where
  const isGone = ({ upstream, key }: Whereabouts): boolean => {
    const holder = live.settings.upstreams.find(({ name }) => name === upstream)
    return holder === undefined || (key !== '' && !holder.keys.some((one) => ids.keyDigest(one) === key))
  }
  const writes: Promise<void>[] = []
  let inTarget: ReadonlySet<string> | undefined
  const onId = (id: string, isItself: boolean): void => {
    inTarget ??= idsIn(pathOf(exchange.target), undefined)
    if (inBody.has(id) || (!isItself && inTarget.has(id))) return
    const writing = ids.remember(id, isItself ? itself : where, { store, isGone })
    if (writing !== undefined) writes.push(writing)
  }
  return (headers) => {
    const made = headers.get('location')?.split(/[?#]/, 1)[0]?.split('/').at(-1)
    if (made !== undefined && made !== '') onId(made, true)
    const found = findAnswerIds(headers, onId)
    if (found === undefined || store === undefined) return found
    return {
      add: found.add,
      isLate: true,
      async end() {
        await found.end()
        await Promise.all(writes)
      },
    }
  }
}

function idsIn(path: string, body: unknown): ReadonlySet<string> {
  const { certain, possible } = namedIds(path, body)
  return new Set([...certain, ...possible])
}
