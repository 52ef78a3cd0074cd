import { expect, setDefaultTimeout, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()
const stubborn = write(
  'stubborn',
  `const once = async () => { const response = await next(request); await response.clone().text(); return response }
   try { return await once() } catch (error) { context.log.info({ was: String(error) }, 'again'); return once() }`,
)

/** Falls silent the first time, in this way; answers the second time. */
function silentOnce(begin: (connection: Parameters<Script>[1]) => void): Script {
  let asked = 0
  return async (request, connection) => {
    await request.body
    asked += 1
    if (asked === 1) begin(connection)
    else connection.json({ by: 'the second' })
  }
}

const silent = silentOnce(() => undefined)
const stalled = (): Script =>
  silentOnce((connection) => {
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk('data: 1\n\n')
  })

test('an extension may ask again where the upstream gave no answer in time: that call has ended, and not the request', async () => {
  const gateway = await startGateway({
    env: { EXTENSIONS: stubborn, FIRST_BYTE_TIMEOUT_MS: '800' },
    upstreams: { openai: silent },
  })
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-mine' },
    body: JSON.stringify({ model: 'm', messages: MESSAGES }),
  })
  expect([answer.status, await answer.json()]).toEqual([200, { by: 'the second' }])
  expect(gateway.upstreams.openai.requests).toHaveLength(2)
  expect(await gateway.exchange(1)).toMatchObject({ status: 200, attempts: 2, outcome: 'complete' })
  await gateway.stop()
})

test('and where a stream fell silent; the log’s line is about what the caller got', async () => {
  const gateway = await start({
    upstreams: { one: stalled() },
    settings: { one: { timeouts: { stream_idle: '800ms' } } },
    file: { extensions: [stubborn] },
  })
  const answer = await gateway.chat({ model: 'm', stream: true })
  expect([answer.status, await answer.json()]).toEqual([200, { by: 'the second' }])
  expect(gateway.upstreams.one.requests).toHaveLength(2)
  expect(await gateway.exchange(1)).toMatchObject({ status: 200, attempts: 2, outcome: 'complete' })
})

test('a stream that falls silent behind an extension that only passes it on is a timeout, as without it', async () => {
  const lines: unknown[] = []
  const each = write(
    'each',
    'const response = await next(request); return context.stream(context.events(response), response)',
  )
  for (const extensions of [[], [write('pass', 'return next(request)')], [each]]) {
    const gateway = await start({
      upstreams: { one: stalled() },
      settings: { one: { timeouts: { stream_idle: '100ms' } } },
      file: { extensions },
    })
    const answer = await gateway.chat({ model: 'm', stream: true })
    await answer.text().catch(() => undefined)
    const { status, outcome, error } = await gateway.exchange(1)
    lines.push({ status, outcome, error })
  }
  expect(lines).toEqual(Array(3).fill({ status: 200, outcome: 'failed', error: 'upstream_timeout' }))
})

test('an answer that falls silent while an extension reads it is a 504, and no failure of the extension’s', async () => {
  const path = write('reader', 'const response = await next(request); return Response.json(await response.text())')
  const gateway = await start({
    upstreams: { one: stalled() },
    settings: { one: { timeouts: { stream_idle: '100ms' } } },
    file: { extensions: [path] },
  })
  expect((await gateway.chat({ model: 'm', stream: true })).status).toBe(504)
  expect(await gateway.exchange(1)).toMatchObject({ status: 504, error: 'upstream_timeout' })
  expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
})

test('a model’s limit on the whole takes the place of the environment’s with extensions, too', async () => {
  const slow: Script = async (request, connection) => {
    await request.body
    await Bun.sleep(400)
    connection.json({ by: 'slow' })
  }
  const { chat } = await start({
    upstreams: { one: slow },
    settings: { one: { timeouts: { total: '5s' } } },
    file: { extensions: [write('pass', 'return next(request)')] },
    env: { TOTAL_TIMEOUT_MS: '150' },
  })
  expect(await (await chat({ model: 'm' })).json()).toEqual({ by: 'slow' })
})

test('the environment’s limit on the whole ends all that an extension does', async () => {
  const { chat } = await start({
    upstreams: { one: silentOnce(() => undefined) },
    file: { extensions: [write('patient', 'return next(request).catch(() => new Promise(() => {}))')] },
    env: { TOTAL_TIMEOUT_MS: '150' },
  })
  expect((await chat({ model: 'm' })).status).toBe(504)
})

test('a caller that leaves ends its request at once, whatever an extension still waits for', async () => {
  const path = write('deaf', "context.log.info('waits'); return new Promise(() => {})")
  const gateway = await start({ upstreams: { one: silentOnce(() => undefined) }, file: { extensions: [path] } })
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES })))
  await gateway.line(({ msg }) => msg === 'waits')
  client.leave()
  const line = await gateway.exchange(1)
  expect(line).toMatchObject({ status: 499, outcome: 'cancelled' })
  expect(Number(line['duration_ms'])).toBeLessThan(10_000)
})

test('a caller that leaves before the upstream has answered has that call cancelled', async () => {
  const closed = Promise.withResolvers<void>()
  const one: Script = async (request, connection) => {
    await request.body
    await connection.closed
    closed.resolve()
  }
  const path = write('pass', 'return next(request)')
  const gateway = await start({ upstreams: { one }, file: { extensions: [path] } })
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES })))
  await gateway.upstreams.one.request(1)
  client.leave()
  await closed.promise
  expect(await gateway.exchange(1)).toMatchObject({ status: 499, outcome: 'cancelled', attempts: 1 })
})
