import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { readableCommand } from '../helpers/readable-command.ts'
import { runProgram, startOnTerminal } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const TOKEN = 'a-token-of-more-than-16-characters'
const KEY = 'sk-the-servers-own-key-0123456789'
/** Somebody else than root, on any Linux. */
const NOBODY = 65_534

let upstream: ScriptedUpstream
let base: string
let folder: string
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json({}))
  base = `${upstream.url}/v1`
  folder = mkdtempSync(join(tmpdir(), 'nexcode-start-'))
  chmodSync(folder, 0o755)
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a server that cannot start says why in one clear line, with the cure', () => {
  test('a port in use', async () => {
    const { code, stdout, stderr } = await runProgram([], { HOST: '127.0.0.1', PORT: String(upstream.port) })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `nexcode: port ${upstream.port} is in use on 127.0.0.1. Stop the program that holds it, or set PORT to another one (PORT=0 takes any free one).\n`,
    )
  })

  test('an address that this machine does not have', async () => {
    // TEST-NET-1 (RFC 5737): no machine's.
    const { code, stdout, stderr } = await runProgram([], { HOST: '192.0.2.1', PORT: '0' })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      'nexcode: this machine has no address 192.0.2.1. Set HOST to one that it has, such as HOST=0.0.0.0 or HOST=127.0.0.1.\n',
    )
  })

  test('a HOST whose name does not resolve is told of as one that is not this machine’s', async () => {
    const { code, stderr } = await runProgram([], { HOST: 'no-such-name.invalid', PORT: '0' })
    expect(code).toBe(1)
    expect(stderr).toStartWith('nexcode: this machine has no address no-such-name.invalid. Set HOST to one that it has')
  })

  test('a secret file that is not there', async () => {
    const { code, stderr } = await runProgram([], { OPENAI_API_KEY_FILE: join(folder, 'absent') })
    expect(code).toBe(2)
    expect(stderr).toContain(
      `OPENAI_API_KEY_FILE names a file that cannot be read (${folder}/absent): there is no such file or folder (ENOENT).`,
    )
    expect(stderr).toContain('Check the path, and that the secret is mounted')
  })

  const isRoot = process.getuid?.() === 0
  const asNobody = isRoot ? Bun.which('setpriv') : null
  const firstFreePort = Number(
    Bun.spawnSync(['cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start']).stdout.toString() || 0,
  )
  const nobody = asNobody === null ? [] : [asNobody, `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  const canBeNobody = nobody.length > 0 || !isRoot
  let command: string[]

  beforeAll(async () => {
    command = await readableCommand(folder)
  })

  test.skipIf(!canBeNobody || firstFreePort < 2)(
    canBeNobody && firstFreePort >= 2
      ? 'a port that is not permitted'
      : 'a port that is not permitted (skipped: it needs a user without privileges: run as one, or install util-linux for setpriv)',
    async () => {
      const port = firstFreePort - 1
      const { code, stderr } = await runProgram(
        [],
        { HOST: '127.0.0.1', PORT: String(port) },
        { command: [...nobody, ...command], cwd: '/' },
      )
      expect(stderr).toBe(
        `nexcode: listening on 127.0.0.1:${port} is not permitted. Ports below 1024 need a privilege: set PORT to 1024 or more, such as PORT=8000.\n`,
      )
      expect(code).toBe(1)
    },
  )

  test.skipIf(!canBeNobody)(
    canBeNobody
      ? 'a secret file that may not be read'
      : 'a secret file that may not be read (skipped: it needs a user without privileges: run as one, or install util-linux for setpriv)',
    async () => {
      const file = join(folder, 'secret')
      writeFileSync(file, KEY)
      chmodSync(file, 0o000)
      const { code, stderr } = await runProgram(
        [],
        { OPENAI_API_KEY_FILE: file },
        { command: [...nobody, ...command], cwd: '/' },
      )
      expect(stderr).toContain(
        `OPENAI_API_KEY_FILE names a file that cannot be read (${file}): this user may not (EACCES).`,
      )
      expect(stderr).toContain('Let the user that runs NexCode read it (chmod or chown).')
      expect(code).toBe(2)
    },
  )
})

describe('at the start', () => {
  test('a banner that a person can use is printed on a terminal: URL, mode, upstream, docs', async () => {
    const program = startOnTerminal([], { HOST: '127.0.0.1', PORT: '0', OPENAI_API_BASE: base, OPENAI_API_KEY: KEY })
    const shown = await program.until('Stop with Ctrl-C')
    const url = /base_url +(http:\/\/127\.0\.0\.1:\d+)\/v1/.exec(shown)?.[1]
    expect(shown).toContain(`NexCode ${packageJson.version}`)
    expect(shown).toMatch(new RegExp(`upstream +${base}`))
    expect(shown).toMatch(/auth +off: .*spends the server's OPENAI_API_KEY, .*REQUIRE_AUTH=true/)
    expect(shown).toMatch(new RegExp(`docs +${url}/docs`))
    expect(shown).not.toContain(KEY)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect((await fetch(`${url}/no-such-page`)).status).toBe(404)
    // Pretty on a terminal is the default: a line for a person, and no JSON.
    const line = await program.until('unknown_url')
    expect(line).toContain('404')
    expect(line).not.toContain('{"level"')
    // Probes would fill the screen.
    expect(line).not.toContain('GET health')
    program.child.kill('SIGINT')
    expect(await program.child.exited).toBe(0)
    await program.stop()
  })

  test('the banner is a log line when the format is JSON, also on a terminal', async () => {
    const env = { HOST: '127.0.0.1', PORT: '0', OPENAI_API_BASE: base, LOG_FORMAT: 'json' }
    const program = startOnTerminal([], { ...env, REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, OPENAI_API_KEY: KEY })
    const shown = await program.until('"listening"')
    const [first = ''] = shown.trim().split(/\r?\n/)
    expect(JSON.parse(first)).toMatchObject({
      level: 30,
      msg: 'listening',
      version: packageJson.version,
      base_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
      upstream: base,
      access: expect.stringMatching(
        /^on: callers need one of 1 API token\(s\); the server's OPENAI_API_KEY is spent\./,
      ),
    })
    expect(shown).not.toContain(TOKEN)
    expect(shown).not.toContain(KEY)
    await program.stop()
  })

  test('JSON is the format where nobody watches, and stderr stays empty', async () => {
    const gateway = await startGateway({ env: { OPENAI_API_BASE: base }, command: gatewayCommand() })
    expect(gateway.lines[0]).toMatchObject({ msg: 'listening', url: gateway.url, upstream: base })
    expect(gateway.stderr()).toBe('')
    await gateway.stop()
  })

  test("an upstream name that doesn't resolve: one clear line with the cure, and the server goes on", async () => {
    const gateway = await startGateway({
      env: { OPENAI_API_BASE: 'http://no-such-name.invalid/v1' },
      command: gatewayCommand(),
    })
    const warning = await gateway.line(({ level }) => level === 40)
    expect(warning['msg']).toBe(
      "the upstream's name no-such-name.invalid does not resolve: check OPENAI_API_BASE and this machine's DNS",
    )
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200)
    await gateway.stop()
  })

  test('an upstream that is an address is not looked up', async () => {
    const gateway = await startGateway({
      env: { OPENAI_API_BASE: 'http://[::1]:9/v1', LOG_LEVEL: 'debug' },
      command: gatewayCommand(),
    })
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200)
    await gateway.exchange(1)
    expect(gateway.lines.filter(({ level }) => Number(level) >= 40)).toEqual([])
    await gateway.stop()
  })
})
