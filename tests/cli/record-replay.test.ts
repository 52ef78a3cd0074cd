import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { type SimulatedServer, startSimulatedServer } from '../../src/cli/simulated-server.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const SERVER_KEY = 'sk-of-the-server-0123456789'
/** Nothing listens there: whoever is called must not be. */
const NOWHERE = { OPENAI_API_BASE: 'http://127.0.0.1:9/v1' }

let simulated: SimulatedServer
let folder: string
const running: TestGateway[] = []

beforeAll(() => {
  simulated = startSimulatedServer({ chunkDelayMs: 0 })
})
afterAll(() => simulated.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexcode-replay-'))
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
  await rm(folder, { recursive: true, force: true })
})

async function start(args: readonly string[], env: Readonly<Record<string, string>> = NOWHERE): Promise<TestGateway> {
  const gateway = await startGateway({ env, command: [...gatewayCommand(), ...args] })
  running.push(gateway)
  return gateway
}

const record = (): Promise<TestGateway> =>
  start(['record', '--to', folder], { OPENAI_API_BASE: `${simulated.url}/v1`, OPENAI_API_KEY: SERVER_KEY })

/** Ends it, so that what it has recorded is written. */
async function end(gateway: TestGateway): Promise<void> {
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
}

const clientOf = (gateway: TestGateway): OpenAI =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-of-the-caller-0123456789', maxRetries: 0 })

const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: `say ${SERVER_KEY}` }] } as const
const chat = (client: OpenAI) => client.chat.completions.create({ ...ask, messages: [...ask.messages] })
const stream = async (client: OpenAI) =>
  Array.fromAsync(
    await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    }),
  )
const transcribe = (client: OpenAI) =>
  client.audio.transcriptions.create({ model: 'whisper-1', file: new File(['sound'], 'a.wav') })
const speak = async (client: OpenAI) =>
  Buffer.from(await (await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'a' })).arrayBuffer())

/** What a program got; stars for the key that it sent, as they are replayed. */
async function session(client: OpenAI): Promise<unknown[]> {
  const answers = [await chat(client), await stream(client), await transcribe(client), await client.models.list()]
  const said = JSON.parse(JSON.stringify(answers).replaceAll(SERVER_KEY, '*'.repeat(SERVER_KEY.length))) as unknown[]
  return [...said, (await speak(client)).toString('base64')]
}

describe('what was recorded', () => {
  test('is replayed without a key and a network, the same to the official client', async () => {
    const recorder = await record()
    const first = await session(clientOf(recorder))
    await end(recorder)
    expect(await readdir(folder)).toHaveLength(5)
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8')
      for (const secret of [SERVER_KEY, 'sk-of-the-caller']) expect(text).not.toContain(secret)
    }
    const player = await start(['replay', '--from', folder])
    expect(await session(clientOf(player))).toEqual(first)
    expect((await player.line(({ msg }) => msg === 'listening'))['upstream']).toBe(
      `replaying 5 cassettes from ${folder}, no upstream`,
    )
  }, 60_000)

  test('grows with each recording, and nothing is written over', async () => {
    for (const count of [1, 2]) {
      const recorder = await record()
      await chat(clientOf(recorder))
      await end(recorder)
      expect(await readdir(folder)).toHaveLength(count)
    }
  }, 60_000)

  test('has no answer that was cut', async () => {
    const recorder = await record()
    const create = { model: 'simulate-reset-midstream', messages: [{ role: 'user' as const, content: 'a' }] }
    const cut = await clientOf(recorder).chat.completions.create({ ...create, stream: true })
    expect(await Array.fromAsync(cut).catch(() => 'cut')).toBe('cut')
    await recorder.line(({ msg }) => msg === 'not recorded: the answer is not complete')
    await end(recorder)
    expect(await readdir(folder)).toEqual([])
  }, 60_000)
})

describe('a request without a cassette', () => {
  const written = (n: number) => ({
    cassette: 1,
    request: { method: 'POST', path: '/v1/embeddings', body: { json: { model: 'm', input: `text ${n}` } } },
    response: { status: 200, headers: { 'content-type': 'application/json' }, body: { json: { data: [n] } } },
  })
  const embed = (gateway: TestGateway, input: string) =>
    fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ input, model: 'm' }) })

  test('is a 404 that tells the nearest, and what differs', async () => {
    await writeFile(join(folder, '0001-a.json'), JSON.stringify(written(1)))
    const player = await start(['replay', '--from', folder])
    expect(await (await embed(player, 'text 1')).text()).toBe('{"data":[1]}')
    const miss = await embed(player, 'text 2')
    expect([miss.status, await miss.json()]).toEqual([
      404,
      {
        error: {
          message:
            'No cassette fits POST /v1/embeddings. The nearest is 0001-a.json: input: "text 1" was recorded, "text 2" came.',
          type: 'invalid_request_error',
          param: null,
          code: 'no_cassette',
        },
      },
    ])
  }, 60_000)

  test('is answered where what differs is ignored', async () => {
    await writeFile(join(folder, '0001-a.json'), JSON.stringify(written(1)))
    const player = await start(['replay', '--from', folder, '--ignore', 'input'])
    expect((await embed(player, 'text 2')).status).toBe(200)
  }, 60_000)

  test('is answered where only what --blank finds differs; one that is no pattern stops the start', async () => {
    await writeFile(join(folder, '0001-a.json'), JSON.stringify(written(1)))
    const player = await start(['replay', '--from', folder, '--blank', 'nothing', '--blank', '\\d+$'])
    expect((await embed(player, 'text 22')).status).toBe(200)
    expect((await embed(player, 'texts 1')).status).toBe(404)
    const { code, stderr } = await runProgram(['replay', '--from', folder, '--blank', '('], NOWHERE)
    expect(code).toBe(2)
    expect(stderr).toStartWith('nexcode replay: --blank "(" is no regular expression of JavaScript')
  }, 60_000)

  test('goes to the upstream with --on-miss forward, and is recorded once with --on-miss record', async () => {
    const upstream = { OPENAI_API_BASE: `${simulated.url}/v1`, OPENAI_API_KEY: SERVER_KEY }
    await writeFile(join(folder, '0001-a.json'), JSON.stringify(written(1)))
    const forwarding = await start(['replay', '--from', folder, '--on-miss', 'forward'], upstream)
    await chat(clientOf(forwarding))
    await end(forwarding)
    expect(await readdir(folder)).toHaveLength(1)
    const recording = await start(['replay', '--from', folder, '--on-miss', 'record'], upstream)
    await chat(clientOf(recording))
    await recording.line(({ msg }) => msg === 'recorded')
    await chat(clientOf(recording))
    await end(recording)
    expect(await readdir(folder)).toHaveLength(2)
    expect(recording.lines.filter(({ msg }) => msg === 'recorded')).toHaveLength(1)
  }, 60_000)
})

test('the original pace takes its time', async () => {
  const events = [0, 150].map((at_ms) => ({ at_ms, text: `data: ${at_ms}\n\n` }))
  const response = { status: 200, after_ms: 100, headers: { 'content-type': 'text/event-stream' }, events }
  const cassette = { cassette: 1, request: { method: 'GET', path: '/v1/x' }, response }
  await writeFile(join(folder, 'a.json'), JSON.stringify(cassette))
  const player = await start(['replay', '--from', folder, '--pace', 'original'])
  const startedAt = performance.now()
  expect(await (await fetch(`${player.url}/v1/x`)).text()).toBe('data: 0\n\ndata: 150\n\n')
  expect(performance.now() - startedAt).toBeGreaterThan(240)
}, 60_000)

test('a list of models asks nobody where nothing may go upstream', async () => {
  const asked: string[] = []
  const upstream = await startScriptedUpstream(({ target }) => void asked.push(target))
  try {
    const config = join(folder, 'nexcode.json')
    const a = { base_url: `${upstream.url}/v1`, api_key: 'sk-of-the-upstream-0123456789' }
    const settings = {
      upstreams: { a },
      models: { 'gpt-*': { targets: [{ upstream: 'a' }] }, fixed: { targets: [{ upstream: 'a' }] } },
    }
    await writeFile(config, JSON.stringify(settings))
    const cassettes = join(folder, 'cassettes')
    await mkdir(cassettes)
    const request = { method: 'GET', path: '/v1/files' }
    const response = { status: 200, headers: {}, body: { json: {} } }
    await writeFile(join(cassettes, '1.json'), JSON.stringify({ cassette: 1, request, response }))
    const player = await start(['replay', '--from', cassettes, '--config', config])
    const { data } = await clientOf(player).models.list()
    expect(data.map(({ id }) => id)).toEqual(['fixed'])
    expect(asked).toEqual([])
  } finally {
    await upstream.close()
  }
}, 60_000)

test('a WebSocket goes nowhere where nothing may go upstream', async () => {
  await writeFile(
    join(folder, 'a.json'),
    '{"cassette":1,"request":{"method":"GET","path":"/"},"response":{"status":200}}',
  )
  const player = await start(['replay', '--from', folder])
  const headers = { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-key': `${'a'.repeat(22)}==` }
  const more = { 'sec-websocket-version': '13', authorization: 'Bearer any' }
  const refused = await fetch(`${player.url}/v1/realtime?model=m`, { headers: { ...headers, ...more } })
  expect([refused.status, await refused.text()]).toEqual([404, expect.stringContaining('"no_cassette"')])
}, 60_000)

test('a WebSocket at /v1/responses is answered 426 while recording and replaying, so that its calls are posted', async () => {
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Authorization: 'Bearer sk-of-the-caller-0123456789',
  }
  const recorder = await record()
  expect((await sendRaw(recorder.port, getText('/v1/responses', handshake))).status).toBe(426)
  await chat(clientOf(recorder))
  await end(recorder)
  const player = await start(['replay', '--from', folder])
  expect((await sendRaw(player.port, getText('/v1/responses', handshake))).status).toBe(426)
}, 60_000)

describe('what is not valid', () => {
  test.each([
    ['no folder to record to', ['record'], 'say which folder the cassettes go into'],
    ['no folder to replay from', ['replay'], 'say which folder the cassettes are in'],
    ['an unknown pace', ['replay', '--from', '.', '--pace', 'fast'], '--pace is instant or original.'],
    [
      'an unknown answer to a miss',
      ['replay', '--from', '.', '--on-miss', 'x'],
      '--on-miss is fail, forward or record.',
    ],
    ['a folder without cassettes', ['replay', '--from', '/nowhere'], 'there are no cassettes in /nowhere. Make some:'],
    ['a file for a folder', ['record', '--to', import.meta.path], '(ENOTDIR). Name a folder, not a file.'],
    ['a file for a folder', ['replay', '--from', import.meta.path], '(ENOTDIR). Name a folder, not a file.'],
  ] as const)(
    'is told with the cure, and the exit code is 2: %s',
    async (_what, args, text) => {
      const { code, stderr } = await runProgram(args)
      expect([code, stderr]).toEqual([2, expect.stringContaining(text)])
    },
    60_000,
  )

  test('is each cassette that does not fit, all told at once', async () => {
    await writeFile(
      join(folder, 'a.json'),
      '{"cassette":1,"request":{"method":"GET","path":"/"},"response":{"status":9}}',
    )
    await writeFile(join(folder, 'b.json'), '{')
    const { code, stderr } = await runProgram(['replay', '--from', folder])
    expect(code).toBe(2)
    expect(stderr).toBe(
      `nexcode replay: 2 problems in ${folder}
  ${folder}/a.json: response.status: expected integer to be greater or equal to 200
  ${folder}/b.json: is not JSON, or has a name twice in one object
`,
    )
  }, 60_000)
})
