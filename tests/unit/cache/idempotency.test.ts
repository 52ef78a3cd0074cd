import { describe, expect, test } from 'bun:test'
import type { CachedAnswer } from '../../../src/cache/cached-answer.ts'
import { createFlights, type FlightOptions, type Source } from '../../../src/cache/flight.ts'
import { createIdempotency, idempotencyNameOf } from '../../../src/cache/idempotency.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { bytesOf, textOf } from '../json/json-texts.ts'
import { collectStream, streamOf } from '../stream/collect-stream.ts'
import { handFed, settled, sha256, tokenScope } from './rig.ts'

const NEVER = new AbortController().signal
const STAYS: FlightOptions = { signal: NEVER, runsOn: false }
const PRINT = sha256(bytesOf('one body')).toHex()
const OTHER_PRINT = sha256(bytesOf('another body')).toHex()
const REQUEST = { scope: tokenScope('one'), name: 'retry-1', fingerprint: PRINT, endpoint: 'chat/completions' }
const SSE = { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' }
const CHUNKS = ['data: {"a":1}\n\n', 'data: [DONE]\n\n']

/** A store that keeps what it is given for good, and how it was given. */
function fakeStore() {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>()
  const sets: { readonly ttlMs: number; readonly scope: string }[] = []
  const store: Store = {
    name: 'memory',
    get: async (key) => kept.get(key),
    set(key, value, options) {
      kept.set(key, new Uint8Array(value))
      sets.push(options)
    },
    delete: (key) => kept.delete(key),
    purge: () => 0,
    stats: () => ({ entries: kept.size, bytes: 0 }),
    close() {},
  }
  return { store, kept, sets }
}

function rig(storing = fakeStore()) {
  const idempotency = createIdempotency<undefined>({
    flights: createFlights({ now: () => 0, keptBytesMax: 1_000_000 }),
    store: storing.store,
    windowMs: 600_000,
    clock: () => 1_700_000_000_000,
    sha256,
  })
  let calls = 0
  const startWith = (
    body: () => ReadableStream<Uint8Array> | null,
    status = 200,
    headers: Record<string, string> = SSE,
  ) => {
    return async (): Promise<Source<undefined>> => {
      calls += 1
      return { answer: new Response(body(), { status, headers }), note: undefined }
    }
  }
  return { ...storing, idempotency, startWith, calls: () => calls }
}

type Rig = ReturnType<typeof rig>
type Claimed = Awaited<ReturnType<Rig['idempotency']['claim']>>

async function textOfClaimed(claimed: Claimed): Promise<string> {
  if (claimed.role === 'replay') return claimed.answer.chunks.map(({ bytes }) => textOf(bytes)).join('')
  const { answer } = await claimed.answer
  return (await collectStream(answer.body ?? streamOf([]))).text
}

const kindOf = (thrown: unknown): unknown => (thrown instanceof ApiError ? thrown.kind : thrown)

test.each<[string | undefined, string | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['  ', undefined],
  [' a b ', 'a b'],
])('the header %p names %p', (value, name) => {
  expect(idempotencyNameOf(new Headers(value === undefined ? {} : { 'Idempotency-Key': value }))).toBe(name)
})

describe('a retry of the same request', () => {
  test('gets the finished answer, byte for byte, and the upstream is called once', async () => {
    const { idempotency, startWith, calls, sets } = rig()
    const start = startWith(() => streamOf(CHUNKS))
    const first = await idempotency.claim(REQUEST, start, STAYS)
    expect(first.role).toBe('leader')
    expect(await textOfClaimed(first)).toBe(CHUNKS.join(''))
    await settled()
    const retry = await idempotency.claim(REQUEST, start, STAYS)
    expect(retry.role).toBe('replay')
    expect(await textOfClaimed(retry)).toBe(CHUNKS.join(''))
    expect(retry.answer as CachedAnswer).toMatchObject({
      status: 200,
      headers: [['content-type', 'text/event-stream']],
      storedAt: 1_700_000_000_000,
      ttlMs: 600_000,
    })
    expect(calls()).toBe(1)
    expect(sets).toEqual([{ ttlMs: 600_000, scope: REQUEST.scope }])
  })

  test('joins the one that is under way, from its start', async () => {
    const { idempotency, startWith, calls } = rig()
    const source = handFed()
    const start = startWith(() => source.body)
    const first = await idempotency.claim(REQUEST, start, STAYS)
    const retry = await idempotency.claim(REQUEST, start, STAYS)
    expect([first.role, retry.role]).toEqual(['leader', 'follower'])
    const texts = Promise.all([textOfClaimed(first), textOfClaimed(retry)])
    await settled()
    for (const chunk of CHUNKS) {
      source.give(bytesOf(chunk))
      await settled()
    }
    source.end()
    expect(await texts).toEqual([CHUNKS.join(''), CHUNKS.join('')])
    expect(calls()).toBe(1)
  })

  test('at the very same time joins, too: many of them make one call', async () => {
    const { idempotency, startWith, calls } = rig()
    const start = startWith(() => streamOf(CHUNKS))
    const all = await Promise.all(Array.from({ length: 20 }, () => idempotency.claim(REQUEST, start, STAYS)))
    expect(new Set(await Promise.all(all.map(textOfClaimed)))).toEqual(new Set([CHUNKS.join('')]))
    expect(calls()).toBe(1)
  })

  test('right behind the answer joins, too, as long as the store still writes', async () => {
    const storing = fakeStore()
    const writing = Promise.withResolvers<void>()
    const slow = { ...storing.store, set: () => writing.promise }
    const { idempotency, startWith, calls } = rig({ ...storing, store: slow })
    const start = startWith(() => streamOf(CHUNKS))
    expect(await textOfClaimed(await idempotency.claim(REQUEST, start, STAYS))).toBe(CHUNKS.join(''))
    await settled()
    const retry = await idempotency.claim(REQUEST, start, STAYS)
    expect(retry.role).toBe('follower')
    expect(await textOfClaimed(retry)).toBe(CHUNKS.join(''))
    writing.resolve()
    await settled()
    expect((await idempotency.claim(REQUEST, start, STAYS)).role).toBe('leader')
    expect(calls()).toBe(2)
  })

  test('fetches what ran on when its client had left', async () => {
    const { idempotency, startWith, calls } = rig()
    const client = new AbortController()
    const first = await idempotency.claim(
      REQUEST,
      startWith(() => streamOf(CHUNKS)),
      { signal: client.signal, runsOn: true },
    )
    if (first.role !== 'replay') await first.answer
    client.abort('gone')
    await settled()
    await settled()
    const retry = await idempotency.claim(
      REQUEST,
      startWith(() => null),
      STAYS,
    )
    expect(retry.role).toBe('replay')
    expect(await textOfClaimed(retry)).toBe(CHUNKS.join(''))
    expect(calls()).toBe(1)
  })

  test('calls anew where the kept answer is torn', async () => {
    const { idempotency, startWith, calls, kept } = rig()
    const start = startWith(() => streamOf(CHUNKS))
    await textOfClaimed(await idempotency.claim(REQUEST, start, STAYS))
    await settled()
    const [[id, whole] = ['', new Uint8Array()]] = kept
    for (let at = 0; at < whole.byteLength; at += 1) {
      const torn = whole.slice()
      torn[at] = (torn[at] ?? 0) ^ 1
      kept.set(id, torn)
      const retry = await idempotency.claim(REQUEST, start, STAYS)
      expect(retry.role).toBe('leader')
      await textOfClaimed(retry)
      await settled()
    }
    expect(calls()).toBe(1 + whole.byteLength)
  })

  test.each<[string, () => ReadableStream<Uint8Array>, number, Record<string, string>]>([
    ['was an error', () => streamOf(['{"error":{}}']), 500, { 'content-type': 'application/json' }],
    ['was an error that is not in JSON', () => streamOf(['<html>']), 500, { 'content-type': 'text/html' }],
    ['was a redirect', () => streamOf(['{}']), 300, { 'content-type': 'application/json' }],
    ['was a refusal', () => streamOf(['{"error":{}}']), 429, { 'content-type': 'application/json' }],
    ['broke off', () => streamOf(['data: 1\n\n'], new Error('reset')), 200, SSE],
    ['failed in the midst of its events', () => streamOf(['data: {"error":{}}\n\n', 'data: [DONE]\n\n']), 200, SSE],
    ['was cut and looked complete', () => streamOf(['data: 1\n\n']), 200, SSE],
  ])('calls anew where the first answer %s', async (_what, body, status, headers) => {
    const { idempotency, startWith, calls, kept } = rig()
    const start = startWith(body, status, headers)
    await textOfClaimed(await idempotency.claim(REQUEST, start, STAYS))
    await settled()
    expect(kept.size).toBe(0)
    expect((await idempotency.claim(REQUEST, start, STAYS)).role).toBe('leader')
    expect(calls()).toBe(2)
  })

  test('calls anew where the first call failed, also with another body', async () => {
    const { idempotency, startWith } = rig()
    const down = async (): Promise<never> => Promise.reject(new ApiError('upstream_unreachable'))
    const first = await idempotency.claim(REQUEST, down, STAYS)
    expect(first.role === 'replay' || kindOf(await first.answer.catch((thrown: unknown) => thrown))).toBe(
      'upstream_unreachable',
    )
    const other = { ...REQUEST, fingerprint: OTHER_PRINT }
    expect(
      (
        await idempotency.claim(
          other,
          startWith(() => streamOf(CHUNKS)),
          STAYS,
        )
      ).role,
    ).toBe('leader')
  })
})

test('any status that says that it went well is kept', async () => {
  const { idempotency, startWith } = rig()
  const start = startWith(() => streamOf(['{}']), 299, { 'content-type': 'application/json' })
  await textOfClaimed(await idempotency.claim(REQUEST, start, STAYS))
  await settled()
  expect(await idempotency.claim(REQUEST, start, STAYS)).toMatchObject({ role: 'replay', answer: { status: 299 } })
})

describe('another request under the same key is refused', () => {
  test('while the first one is under way, and when it has been answered', async () => {
    const { idempotency, startWith, calls } = rig()
    const source = handFed()
    const first = await idempotency.claim(
      REQUEST,
      startWith(() => source.body),
      STAYS,
    )
    const other = { ...REQUEST, fingerprint: OTHER_PRINT }
    const claimOther = async (): Promise<unknown> =>
      kindOf(
        await idempotency
          .claim(
            other,
            startWith(() => null),
            STAYS,
          )
          .catch((thrown: unknown) => thrown),
      )
    expect(await claimOther()).toBe('idempotency_conflict')
    const text = textOfClaimed(first)
    await settled()
    source.give(bytesOf(CHUNKS.join('')))
    await settled()
    source.end()
    await text
    await settled()
    expect(await claimOther()).toBe('idempotency_conflict')
    expect(calls()).toBe(1)
  })

  test('when both come at the same time: one of them is answered', async () => {
    const { idempotency, startWith, calls } = rig()
    const start = startWith(() => streamOf(CHUNKS))
    const claims = [REQUEST, { ...REQUEST, fingerprint: OTHER_PRINT }].map((request) =>
      idempotency.claim(request, start, STAYS).then(({ role }) => role, kindOf),
    )
    expect(await Promise.all(claims)).toEqual(['leader', 'idempotency_conflict'])
    await settled()
    expect(calls()).toBe(1)
  })

  test('with a 422 in OpenAI’s shape', () => {
    const { entry, body } = new ApiError('idempotency_conflict')
    expect(entry.status).toBe(422)
    expect(body.error).toMatchObject({ type: 'invalid_request_error', param: null, code: 'idempotency_key_reused' })
  })
})

test('keys of other scopes, and other keys, know nothing of each other', async () => {
  const { idempotency, startWith, calls } = rig()
  const start = startWith(() => streamOf(CHUNKS))
  const requests = [
    REQUEST,
    { ...REQUEST, scope: tokenScope('two') },
    { ...REQUEST, scope: tokenScope('two'), fingerprint: OTHER_PRINT, name: 'retry-2' },
    { ...REQUEST, name: 'retry-2' },
  ]
  for (const request of requests) {
    const claimed = await idempotency.claim(request, start, STAYS)
    expect(claimed.role).toBe('leader')
    await textOfClaimed(claimed)
    await settled()
  }
  expect(calls()).toBe(requests.length)
})

test('a client that leaves while the store is asked starts nothing', async () => {
  const storing = fakeStore()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { idempotency, startWith, calls } = rig({ ...storing, store: { ...storing.store, get: () => promise } })
  const client = new AbortController()
  const claim = idempotency.claim(
    REQUEST,
    startWith(() => null),
    { ...STAYS, signal: client.signal },
  )
  client.abort('gone')
  resolve(undefined)
  expect(await claim.catch((thrown: unknown) => thrown)).toBe('gone')
  expect(calls()).toBe(0)
  expect(
    (
      await idempotency.claim(
        { ...REQUEST, fingerprint: OTHER_PRINT },
        startWith(() => null),
        STAYS,
      )
    ).role,
  ).toBe('leader')
})

test('the answer of `only-if-cached` is a 504 in OpenAI’s shape', () => {
  const { entry, body } = new ApiError('only_if_cached')
  expect(entry.status).toBe(504)
  expect(body.error).toMatchObject({ type: 'invalid_request_error', code: 'not_in_cache' })
})
