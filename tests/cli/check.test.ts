import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { freePort } from '../helpers/free-port.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { makeSelfSigned, type SelfSigned } from '../helpers/self-signed.ts'

setDefaultTimeout(60_000)

const KEY = 'sk-the-servers-own-key-0123456789'

async function checkAgainst(script: Script, env: Readonly<Record<string, string>> = {}) {
  const upstream = await startScriptedUpstream(script)
  try {
    const end = await runProgram(['check'], { OPENAI_API_BASE: `${upstream.url}/v1`, ...env })
    return { ...end, request: upstream.requests[0], count: upstream.requests.length }
  } finally {
    await upstream.close()
  }
}

describe('nexcode check', () => {
  test('says that the configuration is valid and that the upstream answers: exit code 0', async () => {
    const { code, stdout, stderr, request, count } = await checkAgainst(
      (_request, connection) => connection.json({ object: 'list', data: [] }),
      { OPENAI_API_KEY: KEY, OPENAI_ORG_ID: 'org-1', OPENAI_PROJECT_ID: 'proj_1', PORT: '8123', HOST: '127.0.0.1' },
    )
    expect({ code, stderr, count }).toEqual({ code: 0, stderr: '', count: 1 })
    expect(stdout).toContain('✓ configuration is valid')
    expect(stdout).toContain('http://127.0.0.1:8123/v1')
    expect(stdout).toMatch(/✓ upstream http:\/\/127\.0\.0\.1:\d+\/v1\/models answered 200 in \d+ ms/)
    expect(stdout).not.toContain(KEY)
    expect(request?.method).toBe('GET')
    expect(request?.target).toBe('/v1/models')
    expect(request?.header('authorization')).toBe(`Bearer ${KEY}`)
    expect(request?.header('openai-organization')).toBe('org-1')
    expect(request?.header('openai-project')).toBe('proj_1')
  })

  test('with an upstream that refuses the connection: exit code 1, and the cure', async () => {
    const { code, stdout } = await runProgram(['check'], { OPENAI_API_BASE: `http://127.0.0.1:${await freePort()}/v1` })
    expect(code).toBe(1)
    expect(stdout).toContain('✗')
    expect(stdout).toContain('nothing listens there. Start the upstream, or correct host and port in OPENAI_API_BASE.')
  })

  test("with an upstream name that doesn't resolve: exit code 1, and the cure", async () => {
    const { code, stdout } = await runProgram(['check'], { OPENAI_API_BASE: 'http://no-such-name.invalid/v1' })
    expect(code).toBe(1)
    expect(stdout).toContain(
      "its name does not resolve. Correct the host in OPENAI_API_BASE, or check this machine's DNS.",
    )
  })

  test('with an upstream that wants a key, and none set: exit code 0, since callers bring theirs', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => connection.json({ error: {} }, 401))
    expect(code).toBe(0)
    expect(stdout).toContain('it is there, and wants a key. Callers bring theirs, or set OPENAI_API_KEY.')
  })

  test('with an upstream that refuses the key: exit code 1, and what to check', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => connection.json({ error: {} }, 401), {
      OPENAI_API_KEY: KEY,
    })
    expect(code).toBe(1)
    expect(stdout).toContain('it refuses OPENAI_API_KEY. Check the key, OPENAI_ORG_ID and OPENAI_PROJECT_ID.')
    expect(stdout).not.toContain(KEY)
  })

  test('with an upstream that has no API at that path: exit code 1, and the cure', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => connection.json({}, 404))
    expect(code).toBe(1)
    expect(stdout).toContain('OPENAI_API_BASE usually ends with /v1.')
  })

  test('with an upstream that has a problem of its own: exit code 1', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => connection.json({}, 503))
    expect(code).toBe(1)
    expect(stdout).toContain('has a problem of its own')
  })

  test('with a web page: exit code 1, and the cure', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) =>
      connection.respond(200, { 'content-type': 'text/html; charset=utf-8' }, '<html></html>'),
    )
    expect(code).toBe(1)
    expect(stdout).toContain("with a web page: OPENAI_API_BASE is not an API's base URL. It usually ends with /v1.")
  })

  test('with a redirect: exit code 1, the cure, and the key does not follow it', async () => {
    const elsewhere = await startScriptedUpstream((_request, connection) => connection.json({}))
    const { code, stdout } = await checkAgainst(
      (_request, connection) => connection.respond(302, { location: elsewhere.url }),
      { OPENAI_API_KEY: KEY },
    )
    expect(code).toBe(1)
    expect(stdout).toContain('with a redirect: OPENAI_API_BASE')
    expect(elsewhere.connectionCount()).toBe(0)
    await elsewhere.close()
  })

  test('with an upstream that breaks off: exit code 1', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => connection.reset())
    expect(code).toBe(1)
    expect(stdout).toContain('(ECONNRESET). If it speaks HTTPS, write https:// in OPENAI_API_BASE')
  })

  test('with what is no HTTP: exit code 1', async () => {
    const { code, stdout } = await checkAgainst((_request, connection) => {
      connection.write('SSH-2.0-OpenSSH_9.6\r\n\r\n')
      connection.socket.end()
    })
    expect(code).toBe(1)
    expect(stdout).toContain('does not answer')
  })

  test.each([
    ['0.0.0.0', 'http://localhost:8000/v1'],
    ['::', 'http://localhost:8000/v1'],
    ['::1', 'http://[::1]:8000/v1'],
    ['127.0.0.1', 'http://127.0.0.1:8000/v1'],
  ])('shows the base_url of HOST=%s as %s', async (host, shown) => {
    const { stdout } = await checkAgainst((_request, connection) => connection.json({}), { HOST: host })
    expect(stdout).toContain(`base_url  ${shown}\n`)
  })
})

describe('nexcode check over TLS', () => {
  let pair: SelfSigned
  let upstream: ReturnType<typeof Bun.serve>
  beforeAll(() => {
    pair = makeSelfSigned()
    upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: { cert: pair.cert, key: pair.key },
      fetch: () => Response.json({}),
    })
  })
  afterAll(async () => {
    await upstream.stop(true)
    pair.remove()
  })

  test('with a certificate that nobody vouches for: exit code 1, and the cure names NODE_EXTRA_CA_CERTS', async () => {
    const { code, stdout } = await runProgram(['check'], { OPENAI_API_BASE: `https://127.0.0.1:${upstream.port}/v1` })
    expect(code).toBe(1)
    expect(stdout).toContain('its certificate is not trusted')
    expect(stdout).toContain('NODE_EXTRA_CA_CERTS')
  })

  test('the cure works: with NODE_EXTRA_CA_CERTS the same upstream is good', async () => {
    const { code, stdout } = await runProgram(['check'], {
      OPENAI_API_BASE: `https://127.0.0.1:${upstream.port}/v1`,
      NODE_EXTRA_CA_CERTS: pair.certFile,
    })
    expect(stdout).toContain('answered 200')
    expect(code).toBe(0)
  })
})

describe('nexcode check says whose key is spent, for each case', () => {
  let upstream: ScriptedUpstream
  beforeAll(async () => {
    upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
  })
  afterAll(() => upstream.close())

  const TOKEN = 'a-token-of-more-than-16-characters'
  test.each([
    [
      'REQUIRE_AUTH=true',
      { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, OPENAI_API_KEY: KEY },
      ["the server's OPENAI_API_KEY is spent", 'REQUIRE_AUTH=false'],
    ],
    [
      'REQUIRE_AUTH=true without a key',
      { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN },
      ['no key goes upstream', 'REQUIRE_AUTH=false'],
    ],
    [
      'a public address',
      { HOST: '0.0.0.0', OPENAI_API_KEY: KEY },
      ["each caller's own key", 'gets a 401', 'is not lent on a public address', 'REQUIRE_AUTH=true'],
    ],
    [
      'a public address without a key',
      { HOST: '0.0.0.0' },
      ["each caller's own key", 'gets a 401', 'REQUIRE_AUTH=true'],
    ],
    [
      'loopback',
      { HOST: '127.0.0.1', OPENAI_API_KEY: KEY },
      ["spends the server's OPENAI_API_KEY", 'REQUIRE_AUTH=true'],
    ],
    [
      'loopback without a key',
      { HOST: '127.0.0.1' },
      ["each caller's own key", 'without a key', 'OPENAI_API_KEY lends'],
    ],
  ] as [string, Record<string, string>, string[]][])('%s', async (_case, env, words) => {
    const { stdout } = await runProgram(['check'], { OPENAI_API_BASE: `${upstream.url}/v1`, ...env })
    for (const word of words) expect(stdout).toContain(word)
    expect(stdout).not.toContain(KEY)
    expect(stdout).not.toContain(TOKEN)
  })
})
