import { expect, test } from 'bun:test'
import { wholeOf } from '../../../src/answers/body-note.ts'
import { answerFromCache, type CacheLookupDeps } from '../../../src/cache/answer-from-cache.ts'
import { KnownHits } from '../../../src/cache/known-hits.ts'
import { createSingleFlight } from '../../../src/cache/single-flight/single-flight.ts'
import { Exchange } from '../../../src/exchange/exchange.ts'
import { sha256 } from '../../../src/process/sha256.ts'
import { bodyAsIs } from '../../../src/requests/outgoing-body.ts'
import { type Ask, PreparedRequest } from '../../../src/requests/prepared-request.ts'
import type { Deployment } from '../../../src/routing/targets/deployment.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { textOf } from '../formats/json/json-texts.ts'
import { RESILIENCE } from '../routing/targets/router-parts.ts'
import { settled } from './hand-fed-body.ts'
import { tokenScope } from './scopes.ts'

const JSON_TEXT = '{"object":"list","data":[]}'
const CACHE = { scope: 'principal', pace: 'instant', answerBytesMax: 1_000_000 } as const

test('a request right behind the answer gets it from the call, as long as the store still writes', async () => {
  const writing = Promise.withResolvers<void>()
  let calls = 0
  const store = { name: 'redis', get: async () => undefined, set: () => writing.promise } as const
  const now = (): number => 0
  const deps = {
    ...{ store, now, deadlines: createDeadlines(), digest: sha256 },
    calls: createSingleFlight({ now, keptBytesMax: CACHE.answerBytesMax }),
  } as unknown as CacheLookupDeps
  const hits = new KnownHits(sha256)
  const ask = async (): Promise<{ answer: Response; word: string | null }> => {
    const arrival = { target: '/v1/embeddings', isHttp10: false, abort: new AbortController(), body: undefined }
    const exchange = new Exchange(new Request('http://x/', { headers: { 'x-request-id': 'req_1' } }), arrival, {})
    const next: Ask = async (asked) => {
      calls += 1
      asked.deployment = { label: 'one' } as Deployment
      const headers = { 'content-type': 'application/json', 'content-length': String(JSON_TEXT.length) }
      return new Response(JSON_TEXT, { headers })
    }
    const request = new PreparedRequest({
      ...{ exchange, outgoing: bodyAsIs(null), objects: undefined, clocks: undefined },
      route: { model: undefined, resilience: RESILIENCE, deployments: [], order: () => [] },
      snapshot: { settings: { cache: CACHE, debugHeaders: false } } as unknown as PreparedRequest['snapshot'],
      timeouts: { streamIdleMs: 0, totalMs: 0 },
    })
    request.streamIdleMsOf = () => 0
    const control = {
      mayLook: true,
      mayStore: true,
      onlyIfCached: false,
      ttlMs: 1000,
      maxAgeMs: Number.POSITIVE_INFINITY,
    }
    const answer = await answerFromCache({ hits, request, key: 'key', scope: tokenScope('one'), control, next }, deps)
    const headers = new Headers()
    request.mark?.(headers)
    return { answer, word: headers.get('x-nexcode-cache') }
  }
  const words = []
  for (let turn = 0; turn < 3; turn += 1) {
    if (turn === 2) writing.resolve()
    await settled()
    const { answer, word } = await ask()
    expect(textOf(wholeOf(answer) ?? new Uint8Array())).toBe(JSON_TEXT)
    words.push(word)
  }
  expect(words).toEqual(['MISS', 'COALESCED', 'MISS'])
  expect(calls).toBe(2)
})
