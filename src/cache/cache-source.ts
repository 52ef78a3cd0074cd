import type { Sha256 } from '../formats/bytes/digest.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import type { UpstreamBody } from '../upstream/send.ts'
import { answerFromCache, type CacheLookupDeps } from './answer-from-cache.ts'
import { DecodedAnswers } from './answers/decoded-answers.ts'
import { tellCacheStatus } from './cache-headers.ts'
import { isJudgedByBody, type Judgement } from './cacheable.ts'
import { judgePrepared } from './judge-prepared.ts'
import { createScopedKeys, type ScopedKey } from './keys/scoped-key.ts'
import { KnownHits } from './known-hits.ts'
import { recallHit } from './recall-hit.ts'
import type { Memory } from './single-flight/kept-chunks.ts'
import { createSingleFlight } from './single-flight/single-flight.ts'
import type { CacheSource } from './stage-source.ts'

/** The dependencies of the cache's answers. */
export interface CacheSourceDeps extends Omit<CacheLookupDeps, 'calls' | 'decoded'> {
  readonly digest: Sha256
  readonly settings: { readonly cache: { readonly answerBytesMax: number } }
  /** The answers of calls under way count towards it. */
  readonly memory: Memory
}

const NOTHING = new Uint8Array()

/**
 * Makes the source of the cache's answers. A request gets the stored answer of an equal one, or joins an equal one that is under way,
 * within its scope; the answer that it asks for is stored when it is complete.
 *
 * @example
 * const cache = createCacheSource({ store, now, deadlines, sleep, digest, settings, memory })
 * const answer = await cache.answer(request, next)
 */
export function createCacheSource(deps: CacheSourceDeps): CacheSource {
  const { now, digest, settings, memory } = deps
  const calls = createSingleFlight({ now, keptBytesMax: settings.cache.answerBytesMax, memory })
  const lookupDeps: CacheLookupDeps = { ...deps, calls, decoded: new DecodedAnswers() }
  const scopedKeyOf = createScopedKeys(digest)
  return {
    bodyNeeded: ({ request, requestTarget }) =>
      isJudgedByBody(request.method, endpointOf(requestTarget)) ? 'told' : 'none',
    // A result that is there already is not awaited: each promise costs as much as a step.
    answer(request, next, hits) {
      const answerTo = (body: UpstreamBody): Promise<Response> => {
        const judging = judgePrepared(request, isWhole(body) ? body : undefined)
        const answerBy = (judgement: Judgement): Promise<Response> => {
          if (judgement.kind === 'bypass' || !isWhole(body)) return bypass(request, judgement, next)
          const { control } = judgement
          const answerFor = ({ key, scope }: ScopedKey): Promise<Response> =>
            answerFromCache({ hits, request, key, scope, control, next }, lookupDeps)
          const keying = scopedKeyOf(request, body ?? NOTHING)
          return keying instanceof Promise ? keying.then(answerFor) : answerFor(keying)
        }
        return judging instanceof Promise ? judging.then(answerBy) : answerBy(judging)
      }
      const body = request.outgoing.bodyFor(undefined)
      return body instanceof Promise ? body.then(answerTo) : answerTo(body)
    },
    recall(exchange, settings, hits) {
      const finding = hits.find(exchange)
      if (finding === undefined) return undefined
      return finding instanceof Promise
        ? finding.then((hit) => hit && recallHit(exchange, settings, hit, lookupDeps))
        : recallHit(exchange, settings, finding, lookupDeps)
    },
    createHits: () => new KnownHits(digest),
    idle: () => calls.idle(),
  }
}

function isWhole(body: UpstreamBody): body is Uint8Array<ArrayBuffer> | null {
  return body === null || body instanceof Uint8Array
}

/** Asks for the request alone, and says why the cache has no part in it. */
function bypass(request: PreparedRequest, judgement: Judgement, next: Ask): Promise<Response> {
  tellCacheStatus(request, { word: 'BYPASS', ...(judgement.kind === 'bypass' && { detail: judgement.why }) })
  return next(request)
}
