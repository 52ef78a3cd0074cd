import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeConfigFile } from '../helpers/config-file.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const { folder, write, writeText } = extensionFiles()

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.json({ way: request.header('x-way') ?? null })
  })
})
afterAll(() => upstream.close())

const running: TestGateway[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
})

async function start(env: Env, args: readonly string[] = []): Promise<TestGateway> {
  const gateway = await startGateway({
    env: { OPENAI_API_BASE: `${upstream.url}/v1`, ...env },
    command: [...gatewayCommand(), ...args],
  })
  running.push(gateway)
  return gateway
}

function chat(url: string): Promise<Response> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-mine' },
    body,
  })
}

/** Ends it as an operator does, and gives whether all requests came to their own end. */
async function drain(gateway: TestGateway): Promise<unknown> {
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
  return (await gateway.line(({ msg }) => msg === 'stopped'))['complete']
}

describe('the program', () => {
  test('runs TypeScript from disk, which imports other files and `nexcode`; the line about the start names it', async () => {
    writeText('word.ts', "export const word: string = 'imported'\n")
    const path = writeText(
      'typed.ts',
      `import { type Extension, Type } from 'nexcode'
       import { word } from './word'
       enum Way { Own = 'own' }
       const options = Type.Object({ way: Type.String({ default: Way.Own }) })
       export default { name: 'typed', options, fetch(request, next, context) {
         request.headers.set('x-way', \`\${word} \${context.options.way}\`); return next(request)
       } } satisfies Extension<typeof options>\n`,
    )
    const gateway = await start({ EXTENSIONS: path, CACHE: 'memory' })
    expect(await (await chat(gateway.url)).json()).toEqual({ way: 'imported own' })
    const listening = await gateway.line(({ msg }) => msg === 'listening')
    expect(listening).toMatchObject({ extensions: 'typed.ts', cache: 'memory' })

    const file = writeConfigFile({
      upstreams: { up: { base_url: `${upstream.url}/v1` } },
      extensions: [{ path, options: { way: 'told' } }],
    })
    const other = await start({ NEXCODE_CONFIG: file.path })
    expect(await (await chat(other.url)).json()).toEqual({ way: 'imported told' })
    file.remove()
  })

  test.each([
    ['alone', {}],
    ['of several processes', { WORKERS: '2' }],
  ] as const)(
    '%s does not start with bad ones: each is told with its line and a cure, and the code is 2',
    async (_case, env) => {
      const syntax = writeText('syntax.ts', 'export default {\n  name: = 1\n}\n')
      const throws = writeText('throws.ts', "\nthrow new Error('no such luck')\n")
      const shape = writeText('shape.ts', "export default { name: 'shape' }\n")
      const missing = join(folder, 'missing.ts')
      const all = { PORT: '0', HOST: '127.0.0.1', ...env, EXTENSIONS: [syntax, throws, shape, missing].join(',') }
      const ended = await runProgram([], all)
      // Whoever asks first is told the same, and not that all is valid.
      expect(await runProgram(['check'], all)).toEqual(ended)
      expect(ended.code).toBe(2)
      expect(ended.stderr).toMatch(new RegExp(`^${syntax}:2:\\d+ is no TypeScript: .+\n  Correct it there\\.`, 'm'))
      expect(ended.stderr).toMatch(new RegExp(`^${throws}:2:\\d+ fails when it is loaded: no such luck\\.\n  .+`, 'm'))
      expect(ended.stderr).toContain(`${shape} has no fetch.\n  Write: export default`)
      expect(ended.stderr).toContain(
        `${missing} can't be read: there is no such file or folder (ENOENT).\n  Name a file that there is.`,
      )
    },
  )

  test('refuses options that the extension’s schema does not allow, and names the place', async () => {
    const path = writeText(
      'strict.ts',
      "import { Type } from 'nexcode'\nexport default { name: 'strict', options: Type.Object({ words: Type.Array(Type.String()) }), fetch: (request, next) => next(request) }\n",
    )
    const file = writeConfigFile({
      upstreams: { up: { base_url: `${upstream.url}/v1` } },
      extensions: [{ path, options: { words: ['a', 1] } }],
    })
    const ended = await runProgram(['--config', file.path], { PORT: '0', HOST: '127.0.0.1' })
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('options.words[1] that does not fit')])
    file.remove()
  })

  test('writes a new one with `init`, which runs as it stands', async () => {
    const made = await runProgram(['init', 'extension', 'mine.ts'], {}, { cwd: folder })
    expect([made.code, made.stderr]).toEqual([0, ''])
    expect(existsSync(join(folder, 'nexcode.d.ts'))).toBe(true)
    const gateway = await start({ EXTENSIONS: join(folder, 'mine.ts') })
    const answer = await chat(gateway.url)
    expect([answer.headers.get('x-greeting'), await answer.json()]).toEqual(['hello', { way: null }])
    const again = await runProgram(['init', 'extension', 'mine.ts'], {}, { cwd: folder })
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is there already')])
  })

  test('goes on whatever an extension leaves lying about: a rejection that nobody hears, an error in a timer', async () => {
    const path = write(
      'careless',
      `void Promise.reject(new Error('unheard')); setTimeout(() => { throw new Error('in a timer') }, 0)
       const forgotten = next(new Request(request, { body: '[' })); context.waitUntil(Promise.reject(new Error('behind')))
       return next(request)`,
    )
    const gateway = await start({ EXTENSIONS: path })
    for (let n = 0; n < 2; n += 1) expect((await chat(gateway.url)).status).toBe(200)
    await gateway.line(({ msg }) => msg === 'uncaught exception')
    await gateway.line(({ msg }) => msg === 'unhandled rejection')
    const behind = await gateway.line(({ msg }) => String(msg).includes('waitUntil'))
    expect(behind).toMatchObject({ level: 50, extension: 'careless' })
    expect(await drain(gateway)).toBe(true)
  })

  test('waits at its end for what goes on behind answers, also for what began before a reload', async () => {
    const done = join(folder, 'done.txt')
    const body = `context.waitUntil(new Promise((resolve) => setTimeout(resolve, 700)).then(() => appendFile('${done}', 'a')))
      return next(request)`
    const head = "import { appendFile } from 'node:fs/promises'"
    const gateway = await start({ EXTENSIONS: write('behind', body, head) })
    expect((await chat(gateway.url)).status).toBe(200)
    gateway.child?.kill('SIGHUP')
    await gateway.line(({ msg }) => String(msg).startsWith('configuration reloaded'))
    expect(await drain(gateway)).toBe(true)
    expect(readFileSync(done, 'utf8')).toBe('a')
  })
})

test('what is recorded is what the caller gets; a replay gives it again with no extension', async () => {
  const path = write(
    'rewrite',
    `if (context.endpoint === 'models') return Response.json({ own: true })
     await (await context.call('moderations', { input: 'a' })).text()
     const response = await next(request)
     return new Response(JSON.stringify({ ...(await response.json()), changed: true }), response)`,
  )
  const cassettes = join(folder, 'cassettes')
  const recorder = await start({ EXTENSIONS: path }, ['record', '--to', cassettes])
  const get = async (url: string) =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer sk-mine' } })).json()
  const got = [await (await chat(recorder.url)).json(), await get(recorder.url)]
  expect(got).toEqual([{ way: null, changed: true }, { own: true }])
  expect(await drain(recorder)).toBe(true)
  expect(readdirSync(cassettes)).toHaveLength(2)
  const asked = upstream.requests.length
  const player = await start({}, ['replay', '--from', cassettes])
  expect([await (await chat(player.url)).json(), await get(player.url)]).toEqual(got)
  expect(upstream.requests).toHaveLength(asked)
})
