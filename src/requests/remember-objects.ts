import { type AnswerIds, findAnswerIds } from '../answers/answer-ids.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { holdsContent, STATEFUL_RESOURCES } from '../openai/resources.ts'
import { namedIds, pathOf } from '../routing/named-ids.ts'
import type { ObjectOwner, RememberedIds } from '../routing/remembered-ids.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { type OutgoingBody, outlineOf } from './outgoing-body.ts'
import type { NamedObjects, PreparedRequest } from './prepared-request.ts'

/** Voices of a customer's own. */
const VOICES = /^audio\/voice/

/**
 * Finds out whether the answer to a request may name objects that only its own upstream has, so that their ids have to be remembered.
 * Gives the ids that the request's body names; undefined: the answer names no such objects.
 *
 * @example
 * const objects = objectsOf(exchange, outgoing, snapshot)
 */
export function objectsOf(exchange: Exchange, outgoing: OutgoingBody, snapshot: Snapshot): NamedObjects | undefined {
  if (!namesObjects(exchange, outgoing, snapshot)) return undefined
  const { partlyRead } = outgoing
  if (partlyRead === undefined) return idsIn('', outgoing.value)
  const ids = idsIn('', partlyRead.outline)
  const idTexts = partlyRead.unread?.idTexts ?? []
  return idTexts.length === 0 ? ids : new Set([...ids, ...idTexts])
}

function namesObjects(exchange: Exchange, outgoing: OutgoingBody, snapshot: Snapshot): boolean {
  if (!snapshot.remembersIds) return false
  const { request, endpointName, requestTarget: target } = exchange
  if (request.method === 'HEAD' || request.method === 'DELETE') return false
  // Completions that are stored are below `chat`.
  const endpoint = endpointOf(target)
  if (STATEFUL_RESOURCES.has(endpointName) || endpointName === 'chat' || VOICES.test(endpoint))
    return !holdsContent(endpoint)
  const value = outlineOf(outgoing)
  if (!isJsonObject(value)) return false
  const { store, modalities } = value
  return store === true || (Array.isArray(modalities) && modalities.includes('audio'))
}

/**
 * Makes the watcher that remembers the objects which a deployment's answer names; undefined: none has to be remembered.
 *
 * An id that the request has named is not remembered, unless the request's path asks for this very object: a caller who sends somebody
 * else's id must not have it remembered because the answer repeats it.
 *
 * @example
 * const objectsIn = watchObjects(request, deployment, ids)
 * const found = objectsIn?.(answer.headers)
 */
export function watchObjects(
  answered: PreparedRequest,
  deployment: Deployment,
  ids: RememberedIds,
): ((headers: Headers) => AnswerIds | undefined) | undefined {
  const { exchange, outgoing, objects: inBody, route, snapshot } = answered
  if (inBody === undefined) return undefined
  const store = snapshot.sharedStore
  const where: ObjectOwner = { upstream: deployment.upstream.name, key: ids.keyDigest(deployment.key) }
  const itself =
    route.model?.reportModel === 'alias' && outgoing.model !== undefined ? { ...where, alias: outgoing.model } : where
  const isGone = ({ upstream, key }: ObjectOwner): boolean => {
    const holder = snapshot.settings.upstreams.find(({ name }) => name === upstream)
    return holder === undefined || (key !== '' && !holder.keys.some((one) => ids.keyDigest(one) === key))
  }
  const writes: Promise<void>[] = []
  let inTarget: ReadonlySet<string> | undefined
  const onId = (id: string, isItself: boolean): void => {
    inTarget ??= idsIn(pathOf(exchange.requestTarget), undefined)
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
