import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { freePort } from '../helpers/free-port.ts'
import { type ProgramEnd, runProgram } from '../helpers/run-program.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'

setDefaultTimeout(60_000)

let upstreams: ScriptedUpstream[] = []
let file: ConfigFile | undefined
afterEach(async () => {
  await Promise.all(upstreams.map((one) => one.close()))
  upstreams = []
  file?.remove()
})

async function upstream(script: Script): Promise<ScriptedUpstream> {
  const started = await startScriptedUpstream(script)
  upstreams.push(started)
  return started
}

function checkFile(content: object, env: Readonly<Record<string, string>> = {}): Promise<ProgramEnd> {
  file = writeConfigFile(content)
  return runProgram(['check', '--config', file.path], env)
}

const list: Script = (_request, connection) => connection.json({ object: 'list', data: [] })

/** The lines about upstreams, in their order, without times and ports. */
function findings({ stdout }: ProgramEnd): string[] {
  const lines = stdout.split('\n').filter((line) => /^[✓!✗] upstream/.test(line))
  return lines.map((line) => line.replaceAll(/\d+ ms/g, 'N ms').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST'))
}

test('every upstream is asked, by each of its keys and in its own way, in the order of the file', async () => {
  const [azure, plain] = [await upstream(list), await upstream(list)]
  const end = await checkFile({
    upstreams: {
      azure: {
        preset: 'azure',
        base_url: `${azure.url}/openai`,
        api_keys: ['azure-key-1', 'azure-key-2'],
        headers: { 'x-team': 'red' },
      },
      local: { base_url: `${plain.url}/v1` },
      theirs: { base_url: `${plain.url}/v1`, auth: 'caller' },
    },
  })
  expect([end.code, end.stderr]).toEqual([0, ''])
  expect(findings(end)).toEqual([
    '✓ upstream azure (key 1 of 2) http://HOST/openai/models answered 200 in N ms',
    '✓ upstream azure (key 2 of 2) http://HOST/openai/models answered 200 in N ms',
    '✓ upstream local http://HOST/v1/models answered 200 in N ms',
    '✓ upstream theirs http://HOST/v1/models answered 200 in N ms',
  ])
  expect(azure.requests.map((one) => one.header('api-key')).toSorted()).toEqual(['azure-key-1', 'azure-key-2'])
  expect(azure.requests.map((one) => one.target)).toEqual(Array(2).fill('/openai/models?api-version=2024-10-21'))
  expect(azure.requests.map((one) => [one.header('x-team'), one.header('authorization')])).toEqual(
    Array(2).fill(['red', undefined]),
  )
  expect(plain.requests.map((one) => one.header('authorization'))).toEqual([undefined, undefined])
  expect(end.stdout).not.toContain('azure-key')
})

test('one bad key of a pool is told from the good ones, by its number: exit code 1', async () => {
  const { url } = await upstream((request, connection) =>
    connection.json({ data: [] }, request.header('authorization') === 'Bearer sk-canary-2' ? 401 : 200),
  )
  const end = await checkFile({
    upstreams: { pool: { base_url: `${url}/v1`, api_keys: ['sk-canary-1', 'sk-canary-2'] } },
  })
  expect(end.code).toBe(1)
  expect(findings(end)).toEqual([
    '✓ upstream pool (key 1 of 2) http://HOST/v1/models answered 200 in N ms',
    '✗ upstream pool (key 2 of 2) http://HOST/v1/models answered 401 in N ms: it refuses key 2 of upstreams.pool. Check the key, organization and project.',
  ])
  expect(end.stdout).not.toContain('canary')
})

test('one that is down does not keep the others from being asked; each finding says what of the file to correct', async () => {
  const { url } = await upstream((request, connection) => {
    if (request.target.startsWith('/absent')) return connection.json({}, 404)
    if (request.target.startsWith('/page')) return connection.respond(200, { 'content-type': 'text/html' }, '<html>')
    if (request.target.startsWith('/closed')) return connection.json({}, 401)
    if (request.target.startsWith('/reset')) return connection.reset()
    connection.json({ data: [] })
  })
  const dead = `http://127.0.0.1:${await freePort()}/v1`
  const bases = {
    dead,
    absent: `${url}/absent`,
    page: `${url}/page`,
    closed: `${url}/closed`,
    reset: `${url}/reset`,
    good: url,
  }
  const end = await checkFile({
    upstreams: Object.fromEntries(Object.entries(bases).map(([name, base]) => [name, { base_url: base }])),
  })
  expect(end.code).toBe(1)
  expect(end.stdout.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')).toContain('✗ http://HOST/page/models answered 200 in')
  expect(end.stdout).toContain("with a web page: upstreams.page.base_url is not an API's base URL.")
  expect(findings(end)).toEqual([
    '✗ upstream dead http://HOST/v1/models does not answer: nothing listens there. Start the upstream, or correct host and port in upstreams.dead.base_url.',
    '✗ upstream absent http://HOST/absent/models answered 404 in N ms: there is no API at this path. upstreams.absent.base_url usually ends with /v1.',
    '✓ upstream closed http://HOST/closed/models answered 401 in N ms: it is there, and wants a key. Callers bring theirs, or set upstreams.closed.api_key.',
    '✗ upstream reset http://HOST/reset/models does not answer: the connection was closed before an answer was complete (ECONNRESET). If it speaks HTTPS, write https:// in upstreams.reset.base_url; else check the network, and upstreams.reset.proxy, or HTTPS_PROXY, where one is needed.',
    '✓ upstream good http://HOST/models answered 200 in N ms',
  ])
})

describe('what a server answers is told from what it should', () => {
  const check = async (script: Script, settings: object = {}, file: object = {}) => {
    const { url } = await upstream(script)
    const end = await checkFile({ upstreams: { it: { base_url: `${url}/v1`, ...settings } }, ...file })
    return { code: end.code, lines: findings(end), out: end.stdout }
  }
  const models =
    (...ids: string[]): Script =>
    (_request, connection) =>
      connection.json({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })
  const at = 'upstream it http://HOST/v1/models answered'

  test('a 2xx with a list is right, in any form that is known; without one, only a call can tell: exit code 0', async () => {
    const good: unknown[] = [{ data: [] }, { models: [{ name: 'a' }] }, [{ id: 'a' }], { object: 'list', data: ['a'] }]
    for (const value of good) {
      const { code, lines } = await check((_request, connection) => connection.json(value))
      expect([code, lines]).toEqual([0, [`✓ ${at} 200 in N ms`]])
    }
    const without: Script[] = [
      (_request, connection) => connection.json({}),
      (_request, connection) => connection.respond(200, { 'content-type': 'text/plain' }, 'ok'),
      // mlx_lm.server, whose home has no hub cache.
      (_request, { write, socket }) => {
        write('HTTP/1.0 200 OK\r\nContent-type: application/json\r\n\r\n')
        socket.end()
      },
    ]
    for (const script of without) {
      const { code, lines } = await check(script)
      const why = 'it answers, but has no list of models in it. Whether it works, only a call can tell.'
      expect([code, lines]).toEqual([0, [`! ${at} 200 in N ms: ${why}`]])
    }
  })

  test('one without a list, as LitServe, but with chats: exit code 0; without chats, too, it is no API', async () => {
    const bodies: string[] = []
    const litserve: Script = async (request, connection) => {
      if (request.method === 'GET') return connection.json({ detail: 'Not Found' }, 404)
      bodies.push(new TextDecoder().decode(await request.body))
      connection.json({ detail: [{ type: 'missing', loc: ['body', 'messages'] }] }, 422)
    }
    const { code, lines } = await check(litserve, { api_key: 'sk-canary-1' })
    expect([code, bodies]).toEqual([0, ['{}']])
    expect(lines).toEqual([
      `! ${at} 404 in N ms: it has no list of models, but chats are there. Whether they work, only a call can tell.`,
    ])
    expect(await check((_request, connection) => connection.json({}, 404))).toMatchObject({ code: 1 })
  })

  test('a 400 is wrong, with what it says and what to check; no key is shown', async () => {
    const error = { message: 'No connected db. sk-canary-1 is not known', type: 'no_db_connection', code: '400' }
    const { code, lines, out } = await check((_request, connection) => connection.json({ error }, 400), {
      api_key: 'sk-canary-1',
    })
    expect(code).toBe(1)
    expect(lines).toEqual([
      `✗ ${at} 400 in N ms: it refuses to tell its models ("No connected db. *********** is not known"). Check upstreams.it.api_key, and upstreams.it.base_url.`,
    ])
    expect(out).not.toContain('canary')
    expect(await check((_request, connection) => connection.json({}, 429))).toMatchObject({ code: 0 })
    expect(await check((_request, connection) => connection.json({}, 402))).toMatchObject({ code: 1 })
    const plain = await check((_request, connection) =>
      connection.respond(500, { 'content-type': 'text/plain' }, 'Internal'),
    )
    expect([plain.code, plain.lines[0]]).toEqual([
      1,
      expect.stringContaining('or it wants a key: set upstreams.it.api_key'),
    ])
  })

  test('a model that a target asks for and that is not listed is a warning, with the nearest name', async () => {
    const targets = (...names: string[]) => names.map((model) => ({ upstream: 'it', model }))
    const file = {
      models: {
        smart: { targets: targets('gpt-4o', 'gtp-4.1-mini', 'llama3') },
        other: { targets: targets('gtp-4.1-mini') },
        'any/*': { targets: targets('*') },
        tiny: { targets: [{ upstream: 'it' }] },
      },
    }
    const { code, lines } = await check(models('gpt-4o', 'gpt-4.1-mini', 'llama3:latest'), {}, file)
    expect(code).toBe(0)
    expect(lines).toEqual([
      `✓ ${at} 200 in N ms`,
      '! upstream it does not list the model "gtp-4.1-mini", to which "smart" and "other" lead. Did you mean "gpt-4.1-mini"?',
      '! upstream it does not list the model "tiny", to which "tiny" leads. Known here: gpt-4o, gpt-4.1-mini, llama3:latest.',
    ])
  })

  test('what its active check will ask is looked at, too: nothing there is a warning, a health that is bad is wrong', async () => {
    const health =
      (status: number): Script =>
      (request, connection) =>
        request.target === '/v1/models' ? connection.json({ data: [] }) : connection.json({}, status)
    const settings = { preset: 'vllm', check: { every: '10s' } }
    expect(await check(health(200), settings)).toMatchObject({ code: 0, lines: [`✓ ${at} 200 in N ms`] })
    expect(await check(health(503), settings)).toMatchObject({
      code: 1,
      lines: [`✓ ${at} 200 in N ms`, '✗ upstream it: its health, http://HOST/health, answered 503'],
    })
    expect(await check(health(404), settings)).toMatchObject({
      code: 0,
      lines: [
        `✓ ${at} 200 in N ms`,
        '! upstream it has nothing for its check to ask at /health, /v1/health: set upstreams.it.check.path.',
      ],
    })
  })

  test('nothing is compared where a server lists nothing, lists other things, or answers for any name', async () => {
    const file = { models: { smart: { targets: [{ upstream: 'it', model: 'mine' }] } } }
    expect(await check(models(), { preset: 'transformers' }, file)).toMatchObject({
      code: 0,
      lines: [`✓ ${at} 200 in N ms`],
    })
    expect(await check(models('a.gguf'), { preset: 'llamacpp' }, file)).toMatchObject({
      code: 0,
      lines: [`✓ ${at} 200 in N ms`],
    })
    const azure = await check(models('gpt-4o'), { preset: 'azure', api_key: 'k' }, file)
    expect(azure).toMatchObject({ code: 0, lines: [`✓ ${at} 200 in N ms`] })
    expect((await check(models('a'), { preset: 'vllm' }, file)).lines).toHaveLength(2)
  })
})

test('a certificate that nobody vouches for: the cure is tls_ca, and it works', async () => {
  const pair = makeSelfSigned()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { cert: pair.cert, key: pair.key },
    fetch: () => Response.json({}),
  })
  const base = `https://127.0.0.1:${server.port}/v1`
  const without = await checkFile({ upstreams: { own: { base_url: base } } })
  expect(without.code).toBe(1)
  expect(without.stdout).toContain('Set upstreams.own.tls_ca to the file of its CA.')
  file?.write(JSON.stringify({ upstreams: { own: { base_url: base, tls_ca: 'ca.pem' } } }))
  writeFileSync(join(file?.path ?? '', '..', 'ca.pem'), pair.cert)
  const cured = await runProgram(['check', '--config', file?.path ?? ''])
  expect([cured.code, cured.stdout]).toEqual([0, expect.stringContaining('answered 200')])
  await server.stop(true)
  pair.remove()
})

test('a file without upstreams has the upstream of the environment asked, in the words of the environment', async () => {
  const { url } = await upstream((_request, connection) => connection.json({}, 401))
  const end = await checkFile(
    { params: [{ drop: ['user'] }] },
    { OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: 'sk-x' },
  )
  expect(end.code).toBe(1)
  expect(end.stdout).toContain('1 upstream, 0 models, 1 rule')
  expect(findings(end)).toEqual([
    '✗ upstream http://HOST/v1/models answered 401 in N ms: it refuses OPENAI_API_KEY. Check the key, OPENAI_ORG_ID and OPENAI_PROJECT_ID.',
  ])
})
