import { describe, expect, test } from 'bun:test'
import {
  type ClaimOptions,
  createIdempotency,
  type IdempotentRequest,
} from '../../../../src/cache/idempotency/idempotency.ts'
import { idempotencyNameOf } from '../../../../src/cache/idempotency-source.ts'
import type { CallResult } from '../../../../src/cache/single-flight/call-result.ts'
import { createSingleFlight, type Participant } from '../../../../src/cache/single-flight/single-flight.ts'
import { ApiError } from '../../../../src/openai/api-error.ts'
import type { Claims } from '../../../../src/storage/claims.ts'
import { createMemoryClaims } from '../../../../src/storage/memory/memory-claims.ts'
import { createDeadlines, createSleep } from '../../../../src/timing/deadlines.ts'
import { collectStream, streamOf } from '../../answers/collect-stream.ts'
import { bytesOf, textOf } from '../../formats/json/json-texts.ts'
import { handFed, settled } from '../hand-fed-body.ts'
import { sha256, tokenScope } from '../scopes.ts'

const AT = 1_700_000_000_000
const PRINT = sha256(bytesOf('one body')).toHex()
const OTHER_PRINT = sha256(bytesOf('another body')).toHex()
const REQUEST: IdempotentRequest = {
  scope: tokenScope('one'),
  name: 'retry-1',
  fingerprint: PRINT,
  endpoint: 'chat/completions',
  isBackground: false,
}
const OTHER: IdempotentRequest = { ...REQUEST, fingerprint: OTHER_PRINT }
const SSE = { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' }
const JSON_TYPE = { 'content-type': 'application/json' }
const CHUNKS = ['data: {"a":1}\n\n', 'data: [DONE]\n\n']

function claimsInMemory(bytesMax = 1_000_000): Claims {
  return createMemoryClaims({ bytesMax: () => bytesMax, now: () => AT })
}

/** The same claims, some of whose calls go another way. */
function varied(claims: Claims, changes: Partial<Claims>): Claims {
  return {
    take: (...args) => claims.take(...args),
    look: (...args) => claims.look(...args),
    renew: (...args) => claims.renew(...args),
    end: (...args) => claims.end(...args),
    release: (...args) => claims.release(...args),
    ...changes,
  }
}

/** One process; `shared`: what it and others see. */
function setUpClaims({ memory = claimsInMemory(), shared }: { memory?: Claims; shared?: Claims } = {}) {
  const deadlines = createDeadlines()
  const now = (): number => performance.now()
  const idempotency = createIdempotency({
    ...{ deadlines, sleep: createSleep(deadlines), now, sha256, memory, clock: () => AT },
    calls: createSingleFlight({ now: () => 0, keptBytesMax: 1 }),
    mayBeMade: (cause) => cause instanceof ApiError && cause.kind === 'upstream_timeout',
  })
  let calls = 0
  return {
    memory,
    calls: () => calls,
    idle: () => idempotency.idle(),
    startWith:
      (body: () => ReadableStream<Uint8Array> | null, status = 200, headers: Record<string, string> = SSE) =>
      async (): Promise<CallResult> => {
        calls += 1
        return { answer: new Response(body(), { status, headers }), deployment: undefined }
      },
    claim: (
      request: IdempotentRequest,
      start: (abort: AbortController) => Promise<CallResult>,
      options: Partial<ClaimOptions> = {},
    ) =>
      idempotency.claim(request, start, {
        ...{ signal: new AbortController().signal, runsOn: false, windowMs: 600_000, keptBytesMax: 1_000_000 },
        stores: { current: shared, former: [] },
        ...options,
      }),
  }
}

async function textOfClaimed(claiming: Promise<Participant>): Promise<string> {
  const { answer, stored } = await (await claiming).answer
  if (stored !== undefined) return stored.answer.chunks.map(({ bytes }) => textOf(bytes)).join('')
  return (await collectStream(answer.body ?? streamOf([]))).text
}

const kindOf = (thrown: unknown): unknown => (thrown instanceof ApiError ? thrown.kind : thrown)

/** Whether a request is made, joins another one, or is given what was made before; or what it is refused with. */
async function fateOf(claiming: Promise<Participant>): Promise<unknown> {
  try {
    const { role, answer } = await claiming
    return (await answer).stored?.how ?? role
  } catch (thrown) {
    return kindOf(thrown)
  }
}

test.each<[string | undefined, string | undefined]>([
  [undefined, undefined],
  [' a b ', 'a b'],
  ['a, b', 'a, b'],
  ['a, a', 'a'],
  ['a, a, a', 'a, a, a'],
])('the header %p names %p', (value, name) => {
  expect(idempotencyNameOf(new Headers(value === undefined ? {} : { 'Idempotency-Key': value }))).toBe(name)
})

test.each(['', '  ', ' , '])('the header %p is refused: whoever sends it relies on it', (value) => {
  expect(() => idempotencyNameOf(new Headers({ 'Idempotency-Key': value }))).toThrow(
    new ApiError('invalid_idempotency_key').message,
  )
})

describe('a retry of the same request', () => {
  test('gets the finished answer, byte for byte, and the upstream is called once', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const start = startWith(() => streamOf(CHUNKS))
    expect(await textOfClaimed(claim(REQUEST, start))).toBe(CHUNKS.join(''))
    await settled()
    const retry = claim(REQUEST, start)
    expect(await textOfClaimed(retry)).toBe(CHUNKS.join(''))
    const { stored } = await (await retry).answer
    expect(stored?.how).toBe('replayed')
    expect(stored?.answer).toMatchObject({ status: 200, storedAt: AT, ttlMs: 600_000 })
    expect(stored?.answer.headers).toEqual([['content-type', 'text/event-stream']])
    expect(calls()).toBe(1)
  })

  test('joins the one that is under way, from its start', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const source = handFed()
    const start = startWith(() => source.body)
    const [first, retry] = [claim(REQUEST, start), claim(REQUEST, start)]
    expect([(await first).role, (await retry).role]).toEqual(['leader', 'follower'])
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
    const { claim, startWith, calls } = setUpClaims()
    const start = startWith(() => streamOf(CHUNKS))
    const all = await Promise.all(Array.from({ length: 20 }, () => textOfClaimed(claim(REQUEST, start))))
    expect(new Set(all)).toEqual(new Set([CHUNKS.join('')]))
    expect(calls()).toBe(1)
  })

  test('right behind the answer joins, too, as long as the store still writes', async () => {
    const shared = claimsInMemory()
    const writing = Promise.withResolvers<void>()
    const end: Claims['end'] = async (...args) => {
      await writing.promise
      await shared.end(...args)
    }
    const slow: Claims = varied(shared, { end })
    const { claim, startWith, calls } = setUpClaims({ shared: slow })
    const start = startWith(() => streamOf(CHUNKS))
    expect(await textOfClaimed(claim(REQUEST, start))).toBe(CHUNKS.join(''))
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('follower')
    writing.resolve()
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('replayed')
    expect(calls()).toBe(1)
  })

  test('fetches what ran on when its client had left', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const client = new AbortController()
    const start = startWith(() => streamOf(CHUNKS))
    const first = await claim(REQUEST, start, { signal: client.signal, runsOn: true })
    await first.answer
    client.abort('gone')
    await settled()
    await settled()
    const retry = claim(REQUEST, start)
    expect(await fateOf(retry)).toBe('replayed')
    expect(await textOfClaimed(retry)).toBe(CHUNKS.join(''))
    expect(calls()).toBe(1)
  })

  test('is refused where what is kept is torn: it has been answered all the same', async () => {
    const memory = claimsInMemory()
    const { claim, startWith, calls } = setUpClaims({ memory })
    const start = startWith(() => streamOf(CHUNKS))
    await textOfClaimed(claim(REQUEST, start))
    await settled()
    const take: Claims['take'] = (...args) => {
      const taken = memory.take(...args)
      if (taken instanceof Promise || taken.kind !== 'answered') return taken
      const torn = taken.answer.slice()
      torn[20] = (torn[20] ?? 0) ^ 1
      return { kind: 'answered', fingerprint: PRINT, answer: torn }
    }
    const other = setUpClaims({ memory: varied(memory, { take }) })
    expect(await fateOf(other.claim(REQUEST, start))).toBe('idempotency_answer_not_kept')
    expect(calls()).toBe(1)
  })

  test.each<[string, () => ReadableStream<Uint8Array>, number, Record<string, string>]>([
    ['was an error', () => streamOf(['{"error":{}}']), 500, JSON_TYPE],
    ['was an error that is not in JSON', () => streamOf(['<html>']), 500, { 'content-type': 'text/html' }],
    ['was a redirect', () => streamOf(['{}']), 300, JSON_TYPE],
    ['was a refusal', () => streamOf(['{"error":{}}']), 429, JSON_TYPE],
    ['broke off', () => streamOf(['data: 1\n\n'], new Error('reset')), 200, SSE],
    ['failed in the midst of its events', () => streamOf(['data: {"error":{}}\n\n', 'data: [DONE]\n\n']), 200, SSE],
    ['was cut and looked complete', () => streamOf(['data: 1\n\n']), 200, SSE],
    ['was large, and an error', () => streamOf(['x'.repeat(2_000_000)]), 500, JSON_TYPE],
  ])('calls anew where the first answer %s', async (_what, body, status, headers) => {
    const { claim, startWith, calls } = setUpClaims()
    const start = startWith(body, status, headers)
    await textOfClaimed(claim(REQUEST, start))
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('leader')
    expect(calls()).toBe(2)
  })

  test.each<[string, string, Record<string, string>]>([
    ['has a coding that nobody knows', 'sealed', { ...JSON_TYPE, 'content-encoding': 'aes128gcm' }],
    ['is what it was asked for', '{"status":"queued","error":null}', JSON_TYPE],
    ['has an error without anything in it', '{"object":"chat.completion","choices":[],"error":null}', JSON_TYPE],
  ])('gets the same answer where that %s', async (_what, text, headers) => {
    const { claim, startWith, calls } = setUpClaims()
    const request = { ...REQUEST, endpoint: 'responses', isBackground: true }
    const start = startWith(() => streamOf([text]), 200, headers)
    expect([await textOfClaimed(claim(request, start)), await textOfClaimed(claim(request, start))]).toEqual([
      ...[text, text],
    ])
    expect(calls()).toBe(1)
  })

  test('calls anew where the first call failed, also with another body', async () => {
    const { claim, startWith } = setUpClaims()
    const down = async (): Promise<never> => Promise.reject(new ApiError('upstream_unreachable'))
    expect(await fateOf(claim(REQUEST, down))).toBe('upstream_unreachable')
    expect(
      await fateOf(
        claim(
          OTHER,
          startWith(() => streamOf(CHUNKS)),
        ),
      ),
    ).toBe('leader')
  })
})

describe('an answer that is larger than what is kept', () => {
  test('is not asked for again: neither while it is under way, nor when it has been given', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const source = handFed()
    const start = startWith(() => source.body)
    const first = claim(REQUEST, start, { keptBytesMax: 200 })
    const text = textOfClaimed(first)
    await settled()
    source.give(bytesOf(`data: "${'x'.repeat(500)}"\n\n`))
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('idempotency_answer_not_kept')
    source.give(bytesOf('data: [DONE]\n\n'))
    await settled()
    source.end()
    await text
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('idempotency_answer_not_kept')
    expect(calls()).toBe(1)
  })

  test('leaves its key free where it breaks off', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const start = startWith(() => streamOf([`data: "${'x'.repeat(500)}"\n\n`], new Error('reset')))
    await textOfClaimed(claim(REQUEST, start, { keptBytesMax: 200 }))
    await settled()
    expect(await fateOf(claim(REQUEST, start))).toBe('leader')
    expect(calls()).toBe(2)
  })
})

test('what goes on in the background upstream is not begun again because its stream broke off', async () => {
  const { claim, startWith, calls } = setUpClaims()
  const request = { ...REQUEST, endpoint: 'responses', isBackground: true }
  const start = startWith(() => streamOf(['data: {"type":"response.queued"}\n\n'], new Error('reset')))
  await textOfClaimed(claim(request, start))
  await settled()
  expect(await fateOf(claim(request, start))).toBe('idempotency_outcome_unknown')
  expect(calls()).toBe(1)
})

test.each([
  ['upstream_timeout', 'idempotency_outcome_unknown'],
  ['overloaded', 'leader'],
] as const)('what was to go on in the background and failed with %s: %s', async (kind, fate) => {
  const { claim, startWith } = setUpClaims()
  const request = { ...REQUEST, endpoint: 'responses', isBackground: true }
  expect(await fateOf(claim(request, () => Promise.reject(new ApiError(kind))))).toBe(kind)
  expect(
    await fateOf(
      claim(
        request,
        startWith(() => streamOf(['{}'])),
      ),
    ),
  ).toBe(fate)
})

test('any status that says that it went well is kept', async () => {
  const { claim, startWith } = setUpClaims()
  const start = startWith(() => streamOf(['{}']), 299, JSON_TYPE)
  await textOfClaimed(claim(REQUEST, start))
  await settled()
  expect((await (await claim(REQUEST, start)).answer).stored).toMatchObject({
    how: 'replayed',
    answer: { status: 299 },
  })
})

describe('another request under the same key is refused', () => {
  test('while the first one is under way, and when it has been answered', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const source = handFed()
    const start = startWith(() => source.body)
    const text = textOfClaimed(claim(REQUEST, start))
    expect(await fateOf(claim(OTHER, start))).toBe('idempotency_conflict')
    await settled()
    source.give(bytesOf(CHUNKS.join('')))
    await settled()
    source.end()
    await text
    await settled()
    expect(await fateOf(claim(OTHER, start))).toBe('idempotency_conflict')
    expect(calls()).toBe(1)
  })

  test('when both come at the same time: one of them is answered', async () => {
    const { claim, startWith, calls } = setUpClaims()
    const start = startWith(() => streamOf(CHUNKS))
    expect(await Promise.all([REQUEST, OTHER].map((request) => fateOf(claim(request, start))))).toEqual([
      ...['leader', 'idempotency_conflict'],
    ])
    expect(calls()).toBe(1)
  })

  test('also when what it was first used for was made by another process', async () => {
    const shared = claimsInMemory()
    const [one, other] = [setUpClaims({ shared }), setUpClaims({ shared })]
    const start = one.startWith(() => streamOf(CHUNKS))
    await textOfClaimed(one.claim(REQUEST, start))
    await settled()
    // Both come at once: the one that may not have it must not speak for the one that may.
    const fates = [OTHER, REQUEST].map((request) => fateOf(other.claim(request, start)))
    expect(await Promise.all(fates)).toEqual(['idempotency_conflict', 'replayed'])
    expect(one.calls()).toBe(1)
  })
})

test('keys of other scopes, and other keys, know nothing of each other', async () => {
  const { claim, startWith, calls } = setUpClaims()
  const start = startWith(() => streamOf(CHUNKS))
  const requests = [
    REQUEST,
    { ...REQUEST, scope: tokenScope('two') },
    { ...OTHER, scope: tokenScope('two'), name: 'retry-2' },
    { ...REQUEST, name: 'retry-2' },
  ]
  for (const request of requests) {
    expect(await fateOf(claim(request, start))).toBe('leader')
    await settled()
  }
  expect(calls()).toBe(requests.length)
})

describe('with a store that others see', () => {
  test('a request waits for another process’s call, and gets its answer', async () => {
    const shared = claimsInMemory()
    const [one, other] = [setUpClaims({ shared }), setUpClaims({ shared })]
    const source = handFed()
    const text = textOfClaimed(
      one.claim(
        REQUEST,
        one.startWith(() => source.body),
      ),
    )
    await settled()
    const start = other.startWith(() => null)
    const waiting = [other.claim(REQUEST, start), other.claim(REQUEST, start)]
    source.give(bytesOf(CHUNKS.join('')))
    await Bun.sleep(50)
    source.end()
    await text
    expect(await Promise.all(waiting.map(fateOf))).toEqual(['joined', 'joined'])
    expect(await Promise.all(waiting.map(textOfClaimed))).toEqual([CHUNKS.join(''), CHUNKS.join('')])
    expect([one.calls(), other.calls()]).toEqual([1, 0])
    await other.idle()
  })

  test('who waits for a call that fails elsewhere is told to try again', async () => {
    const shared = claimsInMemory()
    const [one, other] = [setUpClaims({ shared }), setUpClaims({ shared })]
    const failing = Promise.withResolvers<never>()
    const first = fateOf(one.claim(REQUEST, () => failing.promise))
    await settled()
    const second = fateOf(
      other.claim(
        REQUEST,
        other.startWith(() => null),
      ),
    )
    await settled()
    failing.reject(new ApiError('upstream_unreachable'))
    expect([await first, await second]).toEqual(['upstream_unreachable', 'idempotency_under_way'])
    expect(
      await fateOf(
        other.claim(
          REQUEST,
          other.startWith(() => streamOf(CHUNKS)),
        ),
      ),
    ).toBe('leader')
  })

  test('nothing is sent where the store does not say whether it was', async () => {
    const shared: Claims = varied(claimsInMemory(), {
      take: () => Promise.reject(new Error('away')),
    })
    const { claim, startWith, calls } = setUpClaims({ shared })
    const start = startWith(() => null)
    expect(await fateOf(claim(REQUEST, start))).toBe('idempotency_unavailable')
    expect(calls()).toBe(0)
  })

  test('that fails for a moment, a request waits', async () => {
    const store = claimsInMemory()
    let fails = 5
    const take: Claims['take'] = (...args) => {
      fails -= 1
      return fails > 0 ? Promise.reject(new Error('away')) : store.take(...args)
    }
    const { claim, startWith } = setUpClaims({ shared: varied(store, { take }) })
    expect(
      await fateOf(
        claim(
          REQUEST,
          startWith(() => streamOf(CHUNKS)),
        ),
      ),
    ).toBe('leader')
  })

  test('that fails at the end, this process gives the answer all the same', async () => {
    const shared: Claims = varied(claimsInMemory(), {
      end: () => Promise.reject(new Error('away')),
    })
    const { claim, startWith, calls, idle } = setUpClaims({ shared })
    const start = startWith(() => streamOf(CHUNKS))
    await textOfClaimed(claim(REQUEST, start))
    await idle()
    expect(await fateOf(claim(REQUEST, start))).toBe('replayed')
    expect(calls()).toBe(1)
  })

  test('and another one since: what was begun or kept before counts', async () => {
    const [before, after] = [claimsInMemory(), claimsInMemory()]
    const [one, other] = [setUpClaims({ shared: before }), setUpClaims({ shared: before })]
    const start = one.startWith(() => streamOf(CHUNKS))
    await textOfClaimed(one.claim(REQUEST, start))
    await one.idle()
    const stores = { current: after, former: [before] }
    expect(await fateOf(other.claim(REQUEST, start, { stores }))).toBe('replayed')
    const gone: Claims = varied(before, { take: () => Promise.reject(new Error('away')) })
    const second = { ...REQUEST, name: 'retry-2' }
    const afterwards = { stores: { current: after, former: [gone] } }
    expect(await fateOf(other.claim(second, start, afterwards))).toBe('leader')
    expect(one.calls()).toBe(2)
  })
})

test('a client that leaves while the store is asked starts nothing, and leaves the key free', async () => {
  const store = claimsInMemory()
  const asked = Promise.withResolvers<void>()
  const take: Claims['take'] = async (...args) => {
    await asked.promise
    return store.take(...args)
  }
  const { claim, startWith, calls, idle } = setUpClaims({ shared: varied(store, { take }) })
  const client = new AbortController()
  const start = startWith(() => streamOf(CHUNKS))
  const fate = fateOf(claim(REQUEST, start, { signal: client.signal }))
  client.abort('gone')
  expect(await fate).toBe('gone')
  asked.resolve()
  await idle()
  expect(calls()).toBe(0)
  expect(await fateOf(claim(OTHER, start))).toBe('leader')
})

test('the errors are of OpenAI’s shape', () => {
  const told = (['idempotency_conflict', 'idempotency_outcome_unknown', 'only_if_cached'] as const).map((kind) => {
    const { entry, body } = new ApiError(kind)
    return [entry.status, body.error.type, body.error.code]
  })
  expect(told).toEqual([
    [422, 'invalid_request_error', 'idempotency_key_reused'],
    [409, 'invalid_request_error', 'idempotency_outcome_unknown'],
    [504, 'invalid_request_error', 'not_in_cache'],
  ])
})
