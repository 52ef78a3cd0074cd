import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { DONE, event } from '../helpers/cache-calls.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, type RawResponse } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()
const PASS = write('pass', 'return next(request)')
const EACH = write('each', 'const r = await next(request); return context.stream(context.events(r), r)')
/** Leaves the upstream's stream behind its last event, as clients do. */
const UNTIL_DONE = write(
  'until-done',
  `const r = await next(request)
   return context.stream((async function* () {
     for await (const event of context.events(r)) { yield event; if (event.data === '[DONE]') return }
   })(), r)`,
)

const BODY = JSON.stringify({ model: 'smart', temperature: 0, stream: true, messages: MESSAGES })
const KEY = { 'idempotency-key': 'k-1' }
const MODELS = { smart: { targets: [{ upstream: 'one', model: 'dear' }] } }
const ALIAS = { models: { smart: { ...MODELS.smart, report_model: 'alias' } } }
const CACHED = { cache: { store: 'memory' } }

/** How long behind the last event the body ends; undefined: never. */
type EndMs = number | undefined

/** Answers with a stream whose end comes some time behind its last event. */
function endingLate(endMs: EndMs, first = event('a')): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(first)
    connection.chunk(DONE)
    if (endMs === undefined) return
    await Bun.sleep(endMs)
    connection.endChunks()
  }
}

/** Asks, leaves with `[DONE]`, and resolves with the log's line when the call is over. */
async function leaveAtDone(gateway: TestGateway, number: number, headers: Readonly<Record<string, string>> = {}) {
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', BODY, headers))
  await client.until((received) => received.includes(DONE))
  client.leave()
  return within(AT_ONCE_MS, 'the record', gateway.exchange(number))
}

/** Sends an equal request, and gives all of its answer. */
async function askAgain({ port }: TestGateway, headers: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', BODY, headers))
  return within(AT_ONCE_MS, 'the answer', client.response())
}

const ENDS: readonly (readonly [string, EndMs])[] = [
  ['at once', 0],
  ['50 ms behind', 50],
  ['never', undefined],
]
const WAYS: readonly (readonly [string, object, Readonly<Record<string, string>>])[] = [
  ['the file alone', {}, {}],
  ['an alias', ALIAS, {}],
  ['an extension that only passes it on', { extensions: [PASS] }, {}],
  ['an extension that gives each event on', { extensions: [EACH] }, {}],
  ['an extension that leaves at the last event, too', { extensions: [UNTIL_DONE] }, {}],
  ['pings', {}, { SSE_PING_MS: '1000' }],
  ['an alias behind an extension, with pings', { ...ALIAS, extensions: [EACH] }, { SSE_PING_MS: '1000' }],
]

describe.each(ENDS)('a client that leaves at [DONE], where the body ends %s', (_when, endMs) => {
  test.each(WAYS)('has been answered through %s', async (_way, file, env) => {
    const gateway = await start({ upstreams: { one: endingLate(endMs) }, file: { models: MODELS, ...file }, env })
    expect(await leaveAtDone(gateway, 1)).toMatchObject({ status: 200, outcome: 'complete', stream: true, attempts: 1 })
  })

  test.each(WAYS)('and what came through %s is kept by the cache', async (_way, file, env) => {
    const gateway = await start({
      upstreams: { one: endingLate(endMs) },
      file: { models: MODELS, ...CACHED, ...file },
      env,
    })
    expect(await leaveAtDone(gateway, 1)).toMatchObject({ outcome: 'complete', cache: 'MISS' })
    const again = await askAgain(gateway)
    // Behind an extension that has gone, the call may be over a moment later: then it is joined.
    expect(again.headers.get('x-nexcode-cache')).toBeOneOf(['HIT', 'COALESCED'])
    expect(again.text()).toBe(event('a') + DONE)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test.each(WAYS)('and what came through %s is given again for its Idempotency-Key', async (_way, file, env) => {
    const gateway = await start({
      upstreams: { one: endingLate(endMs) },
      file: { models: MODELS, ...file },
      env,
    })
    expect(await leaveAtDone(gateway, 1, KEY)).toMatchObject({ outcome: 'complete' })
    const again = await askAgain(gateway, KEY)
    expect([again.headers.get('idempotent-replayed'), again.text()]).toEqual(['true', event('a') + DONE])
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })
})

describe.each(WAYS)('a client that leaves before the last event, through %s,', (_way, file, env) => {
  test.each([{}, KEY])('cancels its call upstream at once, and nothing is kept (%j)', async (headers) => {
    const closed = Promise.withResolvers<void>()
    const gateway = await start({
      upstreams: {
        async one(request, connection) {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          connection.chunk(event('a'))
          await connection.closed
          closed.resolve()
        },
      },
      file: { models: MODELS, ...CACHED, ...file },
      env,
    })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', BODY, headers))
    await client.until((received) => received.includes('"a"'))
    client.leave()
    await within(AT_ONCE_MS, 'closing', closed.promise)
    expect(await gateway.exchange(1)).toMatchObject({ status: 499, outcome: 'cancelled' })
    gateway.upstreams.one.play(endingLate(0))
    expect(await leaveAtDone(gateway, 2, headers)).toMatchObject({ outcome: 'complete', attempts: 1 })
  })
})

test('the target of streams that clients leave at [DONE] is not blamed: its breaker stays closed', async () => {
  const gateway = await start({
    upstreams: { one: endingLate(undefined), two: endingLate(0) },
    file: {
      models: { smart: { targets: [{ upstream: 'one' }, { upstream: 'two' }] } },
      breaker: { failures: 2, open: '1h', open_max: '1h' },
    },
  })
  for (let call = 1; call <= 4; call += 1) await leaveAtDone(gateway, call)
  expect([gateway.upstreams.one.requests.length, gateway.upstreams.two.requests.length]).toEqual([4, 0])
})

test('a stream in gzip that is left at its end is kept, where the body ends within a moment', async () => {
  const gateway = await start({
    upstreams: {
      async one(request, connection) {
        await request.body
        const gzipped = gzipSync(event('a') + DONE)
        connection.startChunked(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
        connection.chunk(gzipped.subarray(0, -8))
        await Bun.sleep(30)
        connection.chunk(gzipped.subarray(-8))
        connection.endChunks()
      },
    },
    file: { models: MODELS, ...CACHED },
  })
  for (const [headers, number] of [[{}, 1] as const, [KEY, 3] as const]) {
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', BODY, headers))
    await client.until(
      (received) => received.includes('content-encoding') && received.includes('\x1f\x8b', 0, 'latin1'),
    )
    client.leave()
    expect(await gateway.exchange(number)).toMatchObject({ outcome: 'complete' })
    expect((await askAgain(gateway, headers)).isComplete).toBe(true)
  }
  expect(gateway.upstreams.one.requests).toHaveLength(2)
})

test('several that wait for one call and leave at [DONE] have all been answered', async () => {
  const gateway = await start({
    upstreams: { one: endingLate(50) },
    file: { models: MODELS, ...CACHED },
  })
  const records = await Promise.all([leaveAtDone(gateway, 1), leaveAtDone(gateway, 2), leaveAtDone(gateway, 3)])
  expect(records.map(({ outcome }) => outcome)).toEqual(['complete', 'complete', 'complete'])
  expect((await askAgain(gateway)).headers.get('x-nexcode-cache')).toBe('HIT')
  expect(gateway.upstreams.one.requests).toHaveLength(1)
})
