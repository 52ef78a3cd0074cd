import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram, startOnTerminal } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const KEY = 'sk-canary-of-the-server-0123456789'

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json({ object: 'list', data: [] }))
})
afterAll(() => upstream.close())

let folder: string
let gateway: TestGateway | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-file-'))
})
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** Writes a file with one upstream of a name. */
function write(file: string, upstreamName: string): string {
  const path = join(folder, file)
  writeFileSync(path, JSON.stringify({ upstreams: { [upstreamName]: { base_url: `${upstream.url}/v1` } } }))
  return path
}

/** Which file `nexcode check` goes by, told by the name of its upstream. */
async function checkedBy(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await runProgram([...args, 'check'], env, { cwd: folder })
  return /✓ upstream (\S+) http/.exec(stdout)?.[1] ?? stdout
}

describe('which file is meant', () => {
  test('--config goes before NEXCODE_CONFIG, and that before what lies in the working folder', async () => {
    write('nexcode.yaml', 'found')
    const named = { NEXCODE_CONFIG: write('named.yaml', 'by-variable') }
    const flagged = write('flagged.json', 'by-flag')
    expect(await checkedBy(['--config', flagged], named)).toBe('by-flag')
    expect(await checkedBy([`-c${flagged}`], named)).toBe('by-flag')
    expect(await checkedBy([], named)).toBe('by-variable')
    expect(await checkedBy()).toBe('found')
    expect(await checkedBy(['--config', 'flagged.json'])).toBe('by-flag')
  })

  test('in the working folder nexcode.yaml goes before nexcode.yml, and that before nexcode.json', async () => {
    write('nexcode.json', 'json')
    expect(await checkedBy()).toBe('json')
    write('nexcode.yml', 'yml')
    expect(await checkedBy()).toBe('yml')
    write('nexcode.yaml', 'yaml')
    expect(await checkedBy()).toBe('yaml')
  })

  test('without any, the environment alone decides, and nothing is said of a file', async () => {
    const { code, stdout } = await runProgram(['check'], { OPENAI_API_BASE: `${upstream.url}/v1` }, { cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toContain('✓ upstream http://')
    expect(stdout).not.toContain('  config')
  })

  test('the demo and the health check go by no file, not even by a bad one', async () => {
    writeFileSync(join(folder, 'nexcode.yaml'), 'nonsense: [')
    const env = { NEXCODE_CONFIG: join(folder, 'absent.yaml') }
    for (const variables of [{}, env]) {
      const demo = await runProgram(['demo', '--once'], variables, { cwd: folder })
      expect([demo.code, demo.stderr]).toEqual([0, ''])
    }
    const port = String(upstream.port)
    expect((await runProgram(['healthcheck'], { ...env, PORT: port }, { cwd: folder })).code).toBe(0)
  })
})

describe('a file that does not do', () => {
  test.each([[[]], [['check']], [['explain', '-']]] as string[][][])(
    'that is not there ends %j with exit code 2, and what to name',
    async (args) => {
      const { code, stdout, stderr } = await runProgram([...args, '--config', 'absent.yaml'], {}, { cwd: folder })
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toBe(
        'absent.yaml cannot be read: there is no such file or folder (ENOENT).\n  Name a file that there is, by --config or NEXCODE_CONFIG.\n',
      )
    },
  )

  test.each(['1', '2'])(
    'is told of with all of its problems, each by its place, and no secret (WORKERS=%s)',
    async (workers) => {
      const text = `upstreams:
  openai: { preset: openai, api_key: "\${KEY} and more" }
  azure: { preset: azur, base_url: "https://my.openai.azure.com/openai", api_key: "${KEY}" }
models:
  smart: { target: [{ upstream: openai }] }
parms: []
`
      const path = join(folder, 'nexcode.yaml')
      writeFileSync(path, text)
      const env = { KEY, WORKERS: workers, PORT: '0' }
      const { code, stdout, stderr } = await runProgram([], env, { cwd: folder })
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr.split('\n').filter((line) => !line.startsWith(' ') && line !== '')).toEqual([
        'nexcode.yaml:2:38 upstreams.openai.api_key has whitespace inside.',
        'nexcode.yaml:3:20 upstreams.azure.preset "azur" is not known here.',
        'nexcode.yaml:5:3 models.smart.targets is missing.',
        'nexcode.yaml:5:12 models.smart.target is not known here.',
        'nexcode.yaml:6:1 parms is not known here.',
      ])
      expect(stderr).toContain('Did you mean "azure"?')
      expect(stderr).toContain('Did you mean "targets"?')
      expect(stderr).toContain('Did you mean "params"?')
      expect(stderr).not.toContain('canary')
    },
  )

  test('that is bad in the environment and in the file is told of for the environment first', async () => {
    writeFileSync(join(folder, 'nexcode.yaml'), 'parms: []')
    const { code, stderr } = await runProgram([], { PORT: 'eight' }, { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toStartWith('PORT ')
  })
})

describe('a server with a file', () => {
  const TWO = (): string =>
    JSON.stringify({
      upstreams: {
        one: { base_url: `${upstream.url}/v1`, api_key: KEY },
        two: { base_url: `${upstream.url}/v1` },
      },
      models: { smart: { targets: [{ upstream: 'one' }, { upstream: 'two' }] } },
      params: [{ drop: ['user'] }, { drop: ['seed'] }],
    })

  test('says in the line that it listens which file it is, how much there is in it, whose keys are spent, and no key', async () => {
    const path = join(folder, 'nexcode.yaml')
    writeFileSync(path, TWO())
    gateway = await startGateway({ env: { NEXCODE_CONFIG: path }, command: gatewayCommand() })
    const [line] = gateway.lines
    expect(line).toMatchObject({
      msg: 'listening',
      upstream: `one (${upstream.url}/v1), two (${upstream.url}/v1)`,
      access: expect.stringMatching(/^off: programs on this machine spend the server's keys, .*LOCAL_CALLERS=off/),
      config: `${path}: 2 upstreams, 1 model, 2 rules; read again when it changes`,
    })
    expect(JSON.stringify(gateway.lines)).not.toContain('canary')
    expect((await fetch(`${gateway.url}/v1/models/smart`)).status).toBe(200)
  })

  test('has a banner for a person with the same', async () => {
    const path = join(folder, 'short.yaml')
    writeFileSync(path, TWO())
    const program = startOnTerminal(['--config', path], { HOST: '0.0.0.0', PORT: '0' })
    const shown = await program.until('Stop with Ctrl-C')
    expect(shown).toMatch(/config +\S+short\.yaml: 2 upstreams, 1 model, 2 rules; read again when it changes/)
    expect(shown).toMatch(/upstream +one \(http:\S+\), two \(http:\S+\)/)
    expect(shown).toMatch(
      /auth +off: nobody may spend the server's keys on a public address \(401\)\. REQUIRE_AUTH=true/,
    )
    expect(shown).not.toContain('canary')
    await program.stop()
  })

  test('warns of each upstream whose name does not resolve, by what of the file to correct, and goes on', async () => {
    const path = join(folder, 'nexcode.yaml')
    const unknown = { base_url: 'http://no-such-name.invalid/v1' }
    writeFileSync(path, JSON.stringify({ upstreams: { good: { base_url: `${upstream.url}/v1` }, unknown } }))
    gateway = await startGateway({ env: { NEXCODE_CONFIG: path }, command: gatewayCommand() })
    expect((await gateway.line(({ level }) => level === 40))['msg']).toBe(
      "the upstream's name no-such-name.invalid does not resolve: check upstreams.unknown.base_url and this machine's DNS",
    )
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200)
  })

  test('goes by the upstream of the environment where the file names none', async () => {
    const path = join(folder, 'rules.yaml')
    writeFileSync(path, 'params: [{ drop: [user] }]')
    gateway = await startGateway({
      env: { NEXCODE_CONFIG: path, OPENAI_API_BASE: `${upstream.url}/v1` },
      command: gatewayCommand(),
    })
    expect(gateway.lines[0]).toMatchObject({
      upstream: `${upstream.url}/v1`,
      config: expect.stringContaining('1 rule'),
    })
  })
})
