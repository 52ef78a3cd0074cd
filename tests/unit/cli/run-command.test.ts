import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { openRawClient, postText } from '../../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { type ProgramRun, runInProcess } from './run-in-process.ts'

// What the program says and does is shown in tests/cli, on the program itself; here it runs where its lines are counted.

const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'

let upstream: ScriptedUpstream
let program: ProgramRun
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
})
afterAll(() => upstream.close())
afterEach(() => program.restore())

async function codeOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  program = runInProcess(args, {
    HOST: '127.0.0.1',
    LOG_LEVEL: 'silent',
    OPENAI_API_BASE: `${upstream.url}/v1`,
    ...env,
  })
  await program.started
  return program.exited
}

describe('a command line', () => {
  test('that asks for help or the version prints it, and does nothing else', async () => {
    for (const [flag, word] of [
      ['--help', 'Usage'],
      ['-v', 'nexcode '],
    ] as const) {
      program = runInProcess([flag], {})
      await program.started
      expect(program.stdout()).toContain(word)
      expect(program.codes).toEqual([])
      program.restore()
    }
  })

  test.each([[['serv']], [['--prot']], [['check', 'now']]])('%p ends with 2', async (args) => {
    expect(await codeOf(args)).toBe(2)
    expect(program.stderr()).toContain('nexcode')
  })

  test.each(['serve', 'demo', 'check', 'healthcheck'])('%s with a bad value ends with 2', async (command) => {
    expect(await codeOf([command], { PORT: 'eight' })).toBe(2)
    expect(program.stderr()).toStartWith('PORT ')
  })
})

describe('check', () => {
  const bases = { good: '/v1', absent: '/absent' }

  test('says what it finds', async () => {
    upstream.play((request, connection) => {
      if (request.target.startsWith(bases.absent)) return connection.json({}, 404)
      if (request.target.startsWith('/page')) return connection.respond(200, { 'content-type': 'text/html' })
      if (request.target.startsWith('/moved')) return connection.respond(302, { location: '/' })
      if (request.target.startsWith('/broken')) return connection.json({}, 500)
      if (request.target.startsWith('/reset')) return connection.reset()
      if (request.target.startsWith('/closed')) return connection.json({}, 401)
      return connection.json({ data: [] })
    })
    const account = { OPENAI_API_KEY: 'sk-x', OPENAI_ORG_ID: 'org', OPENAI_PROJECT_ID: 'proj' }
    const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
      ['/v1', account, 0],
      ['/absent', {}, 1],
      ['/page', {}, 1],
      ['/moved', {}, 1],
      ['/broken', {}, 1],
      ['/reset', {}, 1],
      ['/closed', {}, 0],
      ['/closed', account, 1],
    ]
    for (const [path, env, code] of cases) {
      const found = await codeOf(['check'], { OPENAI_API_BASE: upstream.url + path, ...env })
      expect({ path, found }).toEqual({ path, found: code })
      expect(program.stdout()).toContain(code === 0 ? '✓ upstream' : '✗')
      program.restore()
    }
    for (const base of ['http://no-such-name.invalid/v1', 'http://127.0.0.1:1/v1']) {
      expect(await codeOf(['check'], { OPENAI_API_BASE: base })).toBe(1)
      program.restore()
    }
    upstream.play((_request, connection) => connection.json({}))
  })
})

describe('healthcheck', () => {
  test('tells a healthy server from another, and from none', async () => {
    const env = { PORT: String(upstream.port) }
    expect(await codeOf(['healthcheck'], env)).toBe(0)
    program.restore()
    upstream.play((_request, connection) => connection.json({}, 500))
    expect(await codeOf(['healthcheck'], env)).toBe(1)
    program.restore()
    upstream.play((_request, connection) => connection.reset())
    expect(await codeOf(['healthcheck'], env)).toBe(1)
    upstream.play((_request, connection) => connection.json({}))
  })
})

describe('demo', () => {
  test('--once shows one chat and ends', async () => {
    expect(await codeOf(['demo', '--once'], { PORT: '0' })).toBe(0)
    expect(program.stdout()).toMatch(/answer +\S.{20,}/)
  })

  test('--once ends with 1 where the chat fails, or the port is in use', async () => {
    expect(await codeOf(['demo', '--once'], { PORT: '0', MAX_JSON_BYTES: '10' })).toBe(1)
    expect(program.stdout()).toContain('The chat failed')
    program.restore()
    expect(await codeOf(['demo', '--once'], { PORT: String(upstream.port) })).toBe(1)
    expect(program.stderr()).toContain('in use')
  })

  test('goes on until a signal', async () => {
    program = runInProcess(['demo'], { LOG_LEVEL: 'silent' })
    await program.started
    expect(program.codes).toEqual([])
    program.emit('SIGINT')
    expect(await program.exited).toBe(0)
  })
})

describe('serve', () => {
  test('prints the banner and goes on; a signal lets the requests under way end', async () => {
    const { url } = await serve()
    expect((await fetch(`${url}/ready`)).status).toBe(200)
    const streaming = Promise.withResolvers<() => void>()
    upstream.play((_request, connection) => {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: 1\n\n')
      streaming.resolve(connection.endChunks)
    })
    const client = await openRawClient(Number(new URL(url).port))
    client.write(postText('/v1/chat/completions', CHAT, { Authorization: 'Bearer sk-mine' }))
    const finish = await streaming.promise
    await client.until((received) => received.includes('data: 1'))
    program.emit('SIGTERM')
    expect((await fetch(`${url}/ready`)).status).toBe(503)
    finish()
    expect(await program.exited).toBe(0)
    expect((await client.response()).isComplete).toBe(true)
    upstream.play((_request, connection) => connection.json({}))
  })

  test('breaks off what is not done in time, and a second signal is not waited for', async () => {
    const { url } = await serve({ DRAIN_TIMEOUT_MS: '100' })
    upstream.play((_request, connection) => {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: 1\n\n')
    })
    const client = await openRawClient(Number(new URL(url).port))
    client.write(postText('/v1/chat/completions', CHAT, { Authorization: 'Bearer sk-mine' }))
    await client.until((received) => received.includes('data: 1'))
    program.emit('SIGTERM')
    program.emit('SIGINT')
    expect(program.codes).toEqual([130])
    await client.closed
    expect(client.received().toString()).toContain('"code":"draining"')
    upstream.play((_request, connection) => connection.json({}))
  })

  test('survives what nobody caught, warns of a name that does not resolve, and says where it cannot listen', async () => {
    const { url } = await serve({ OPENAI_API_BASE: 'http://no-such-name.invalid/v1' })
    program.emit('unhandledRejection', new Error('nobody caught this'))
    program.emit('uncaughtException', new Error('nor this'))
    program.emit('exit', 0)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    program.emit('SIGTERM')
    expect(await program.exited).toBe(0)
    program.restore()
    expect(await codeOf([], { PORT: String(upstream.port) })).toBe(1)
    expect(program.stderr()).toContain('in use')
  })

  /** Starts a server, and finds its URL in the banner. */
  async function serve(env: Readonly<Record<string, string>> = {}): Promise<{ readonly url: string }> {
    program = runInProcess([], {
      ...{ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent', LOG_FORMAT: 'pretty' },
      ...{ OPENAI_API_BASE: `${upstream.url}/v1`, ...env },
    })
    await program.started
    expect(program.stderr()).toBe('')
    const url = /docs +(\S+)\/docs/.exec(program.stdout())?.[1]
    if (url === undefined) throw new Error(`There is no URL in the banner: ${program.stdout()}`)
    return { url }
  }
})
