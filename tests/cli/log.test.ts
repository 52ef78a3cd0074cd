import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { programEnv, startProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const AUTH = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}'
const EVENT = 'data: {"n":1}\n\n'

let upstream: ScriptedUpstream
let streaming = Promise.withResolvers<UpstreamConnection>()
beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) => {
    if (request.method === 'GET') return connection.json({ ok: true }, 200, { 'x-request-id': 'req_upstream' })
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(EVENT)
    streaming.resolve(connection)
  })
})
afterAll(() => upstream.close())

function start(env: Env = {}): Promise<TestGateway> {
  return startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, ...env }, command: gatewayCommand() })
}

const exchanges = (gateway: TestGateway) => gateway.lines.filter(({ msg }) => msg === 'exchange')

describe('the line of an exchange', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await start()
  })
  afterAll(() => gateway.stop())

  test('is written when the body has ended, and says what happened', async () => {
    streaming = Promise.withResolvers()
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', CHAT, { ...AUTH, 'X-Client-Request-Id': 'mine-1' }))
    await client.until((received) => received.includes(EVENT))
    const before = exchanges(gateway).length
    const connection = await streaming.promise
    connection.chunk(EVENT)
    await client.until((received) => received.toString().split(EVENT).length === 3)
    // Longer than the log holds its lines back.
    await Bun.sleep(200)
    expect(exchanges(gateway)).toHaveLength(before)
    connection.endChunks()
    const answer = await client.response()
    const line = await gateway.line(({ client_request_id }) => client_request_id === 'mine-1')
    expect(line).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      msg: 'exchange',
      request_id: answer.headers.get('x-request-id'),
      client_request_id: 'mine-1',
      method: 'POST',
      route: 'chat.completions',
      model: 'gpt-4o',
      upstream: new URL(upstream.url).host,
      stream: true,
      status: 200,
      outcome: 'complete',
      bytes: 2 * EVENT.length,
      ttfb_ms: expect.any(Number),
      upstream_ms: expect.any(Number),
      duration_ms: expect.any(Number),
      attempts: 1,
      principal: expect.stringMatching(/^caller-[0-9a-f]{8}$/),
    })
    expect(Number(line['duration_ms'])).toBeGreaterThan(Number(line['ttfb_ms']) + 150)
    client.leave()
  })

  test("has the upstream's request id beside ours", async () => {
    await sendRaw(gateway.port, getText('/v1/models', { ...AUTH, 'X-Request-Id': 'ours-2' }))
    expect(await gateway.line(({ request_id }) => request_id === 'ours-2')).toMatchObject({
      upstream_request_id: 'req_upstream',
      route: 'models',
      bytes: 11,
      attempts: 1,
    })
  })

  test('of a client that left says cancelled', async () => {
    streaming = Promise.withResolvers()
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', CHAT, { ...AUTH, 'X-Request-Id': 'left-1' }))
    await client.until((received) => received.includes(EVENT))
    client.leave()
    expect(await gateway.line(({ request_id }) => request_id === 'left-1')).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      bytes: EVENT.length,
    })
  })

  test('of an upstream that broke off says failed, and why, as a warning', async () => {
    streaming = Promise.withResolvers()
    const sent = sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, { ...AUTH, 'X-Request-Id': 'broke-1' }))
    const connection = await streaming.promise
    connection.reset()
    await sent
    expect(await gateway.line(({ request_id }) => request_id === 'broke-1')).toMatchObject({
      level: 40,
      status: 200,
      outcome: 'failed',
      error: 'upstream_unreachable',
      cause: expect.stringContaining('ECONNRESET'),
    })
  })

  test('of a refusal of ours names the error; what never reached the upstream has no attempt', async () => {
    await sendRaw(gateway.port, postText('/v1/chat/completions', '{', { ...AUTH, 'X-Request-Id': 'refused-1' }))
    const line = await gateway.line(({ request_id }) => request_id === 'refused-1')
    expect(line).toMatchObject({ level: 30, status: 400, outcome: 'complete', error: 'invalid_json', attempts: 0 })
    expect(line).not.toHaveProperty('cause')
  })
})

test('there is one line for each exchange, and none is lost at the exit', async () => {
  const gateway = await start()
  const count = 500
  const deployments = 20
  const deployment = async (from: number): Promise<void> => {
    for (let n = from; n < count; n += deployments) {
      const answer = await fetch(`${gateway.url}/v1/models`, { headers: { ...AUTH, 'x-request-id': `n-${n}` } })
      await answer.text()
    }
  }
  await Promise.all(Array.from({ length: deployments }, (_one, index) => deployment(index)))
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
  const stopped = await gateway.line(({ msg }) => msg === 'stopped')
  const ids = exchanges(gateway).map(({ request_id }) => String(request_id))
  expect(ids).toHaveLength(count)
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: count }, (_one, n) => `n-${n}`)))
  expect(gateway.lines.at(-1)).toEqual(stopped)
})

test('none is lost either where the reader of the log is slow', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-log-'))
  const fifo = join(folder, 'log')
  expect(Bun.spawnSync(['mkfifo', fifo]).success).toBe(true)
  // Open, so that the server can write; not read, so that what it writes soon fills the pipe.
  const held = openSync(fifo, 'r+')
  const port = await freePort()
  const child = Bun.spawn(['sh', '-c', 'exec "$@" > "$0"', fifo, ...gatewayCommand()], {
    env: programEnv({ HOST: '127.0.0.1', PORT: String(port), OPENAI_API_BASE: `${upstream.url}/v1` }),
  })
  while (!(await answers(port))) await Bun.sleep(20)
  const count = 500
  for (let n = 0; n < count; n += 20) await Promise.all(Array.from({ length: 20 }, () => getModels(port)))
  child.kill('SIGTERM')
  await Bun.sleep(300)
  const reader = Bun.spawn(['cat', fifo], { stdout: 'pipe' })
  let text = ''
  for await (const chunk of reader.stdout.pipeThrough(new TextDecoderStream())) {
    if (text === '') closeSync(held)
    text += chunk
  }
  expect(await child.exited).toBe(0)
  expect(text.split('"route":"models"')).toHaveLength(count + 1)
  expect(text).toEndWith('"msg":"stopped"}\n')
  rmSync(folder, { recursive: true, force: true })
})

async function getModels(port: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}/v1/models`, { headers: AUTH })).text()
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  )
}

test('none is lost either where a second signal ends it at once', async () => {
  const gateway = await start()
  const held = await openRawClient(gateway.port)
  held.write(postText('/v1/chat/completions', CHAT, AUTH))
  await held.until((received) => received.includes(EVENT))
  const count = 100
  await Promise.all(
    Array.from({ length: count }, () => fetch(`${gateway.url}/v1/models`, { headers: AUTH }).then((one) => one.text())),
  )
  gateway.child?.kill('SIGTERM')
  await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(143)
  await gateway.exchange(count)
  expect(exchanges(gateway)).toHaveLength(count)
})

test('a log that nobody reads any more ends neither the server nor its end', async () => {
  const child = Bun.spawn([...gatewayCommand()], {
    env: programEnv({ HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', OPENAI_API_BASE: `${upstream.url}/v1` }),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const reader = child.stdout.getReader()
  const first = new TextDecoder().decode((await reader.read()).value)
  const url = /"url":"([^"]+)"/.exec(first)?.[1]
  await reader.cancel()
  const request = async (): Promise<void> => {
    expect((await fetch(`${url}/v1/models`, { headers: AUTH })).status).toBe(200)
  }
  await request()
  // The log is written at the latest after this long.
  await Bun.sleep(200)
  for (let n = 0; n < 100; n += 1) await request()
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
  expect(await new Response(child.stderr).text()).toBe('')
})

describe('LOG_LEVEL', () => {
  test.each([
    // Whoever asks whether it lives is not told of at `info`.
    ['debug', [30, 20, 40, 30, 30]],
    ['info', [30, 40, 30, 30]],
    ['warn', [40]],
    ['error', []],
    ['silent', []],
  ] as const)('%s: what is below it is not written', async (level, levels) => {
    const port = await freePort()
    const program = startProgram([], {
      ...{ HOST: '127.0.0.1', PORT: String(port), LOG_FORMAT: 'json', LOG_LEVEL: level },
      ...{ OPENAI_API_BASE: `http://127.0.0.1:${await freePort()}/v1` },
    })
    while (!(await answers(port))) await Bun.sleep(20)
    expect((await fetch(`http://127.0.0.1:${port}/v1/models`, { headers: AUTH })).status).toBe(502)
    program.child.kill('SIGTERM')
    await program.child.exited
    await program.stop()
    const lines = program
      .output()
      .trim()
      .split('\n')
      .filter((line) => line !== '')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual([...levels])
  })
})
