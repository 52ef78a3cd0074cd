import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import packageJson from '../../package.json' with { type: 'json' }
import { COMMANDS } from '../../src/cli/command-line/commands.ts'
import { ENV, ENV_ROWS } from '../../src/config/env.ts'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const TOKEN = 'a-token-of-more-than-16-characters'

describe('the command line', () => {
  test('--help lists every command and every variable', async () => {
    const { code, stdout, stderr } = await runProgram(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const command of ['nexcode demo', 'nexcode check', 'nexcode healthcheck', '--help', '--version', '--once']) {
      expect(stdout).toContain(command)
    }
    for (const { name, doc } of ENV_ROWS) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
      expect(stdout.replace(/\s+/g, ' ')).toContain(doc)
    }
    expect((await runProgram(['-h'])).stdout).toBe(stdout)
  })

  test('--version says the version of package.json', async () => {
    expect(await runProgram(['--version'])).toEqual({
      code: 0,
      stdout: `nexcode ${packageJson.version}\n`,
      stderr: '',
    })
  })

  test('help, version and serve are words, too', async () => {
    expect((await runProgram(['help'])).stdout).toBe((await runProgram(['--help'])).stdout)
    expect((await runProgram(['version'])).stdout).toBe(`nexcode ${packageJson.version}\n`)
    const help = await runProgram(['help', 'version'])
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('$ nexcode version')])
    expect((await runProgram(['version', '--help'])).stdout).toBe(help.stdout)
    const { code, stderr } = await runProgram(['serve'], { PORT: 'eight' })
    expect(code).toBe(2)
    expect(stderr).toStartWith('PORT "eight" ')
  })

  test.each([...COMMANDS.keys()])(
    'help %s says in some ten lines how it is called, what it takes, and an example; a line for each further option',
    async (name) => {
      const { code, stdout, stderr } = await runProgram(['help', name])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const lines = stdout.trimEnd().split('\n')
      expect(lines[0]).toStartWith('nexcode ')
      expect(lines.length).toBeGreaterThan(4)
      const further = Math.max(0, (COMMANDS.get(name)?.options.length ?? 0) - 6)
      expect(lines.length - further).toBeLessThan(20)
      expect(stdout).toContain('  $ ')
      for (const option of COMMANDS.get(name)?.options ?? []) expect(stdout).toContain(`\n  --${option}`)
      for (const flag of ['--help', '-h']) expect((await runProgram([name, flag])).stdout).toBe(stdout)
    },
  )

  test('help VARIABLE says what it means, its default, and a line that sets it', async () => {
    for (const { name, doc, example } of [ENV.PORT, ENV.LOG_LEVEL]) {
      const { code, stdout } = await runProgram(['help', name.toLowerCase()])
      expect(code).toBe(0)
      for (const part of [name, doc, 'Default: ', `$ ${name}=${example} nexcode`]) expect(stdout).toContain(part)
    }
  })

  test.each([
    [['sevre'], 'nexcode: there is no command "sevre". Did you mean: nexcode serve'],
    [['start'], 'nexcode: there is no command "start". Did you mean: nexcode serve'],
    [['chek', '--config', 'x'], 'nexcode: there is no command "chek". Did you mean: nexcode check'],
    [['litellm', 'a.yaml'], 'nexcode: there is no command "litellm". Did you mean: nexcode import litellm a.yaml'],
    [['my.yaml'], 'nexcode: there is no command "my.yaml". Did you mean: nexcode --config my.yaml'],
    [['PORT=9000'], 'nexcode: there is no command "PORT=9000". A variable stands in front: PORT=9000 nexcode'],
    [['frobnicate'], 'nexcode: there is no command "frobnicate". nexcode help lists the commands.'],
    [['--port', '9000'], 'nexcode serve: there is no option --port here. It is a variable: PORT=9000 nexcode'],
    [['serve', '--port=9000'], 'nexcode serve: there is no option --port here. It is a variable: PORT=9000 nexcode'],
    [['demo', '-p', '9000'], 'nexcode demo: there is no option -p. It is a variable: PORT=9000 nexcode demo'],
    [['--prot', '9000'], 'nexcode serve: there is no option --prot. It is a variable: PORT=9000 nexcode'],
    [
      ['--log-level', 'debug'],
      'nexcode serve: there is no option --log-level. It is a variable: LOG_LEVEL=debug nexcode',
    ],
    [['--verbose'], 'nexcode serve: there is no option --verbose. It is a variable: LOG_LEVEL=debug nexcode'],
    [
      ['--api-key', 'sk-secret'],
      'nexcode serve: there is no option --api-key. It is a variable: OPENAI_API_KEY=… nexcode',
    ],
    [['--verison'], 'nexcode serve: there is no option --verison. Did you mean --version?'],
    [['check', '--hlep'], 'nexcode check: there is no option --hlep. Did you mean --help?'],
    [['-V'], 'nexcode serve: there is no option -V. Did you mean --version?'],
    [['check', '-C', 'x'], 'nexcode check: there is no option -C. Did you mean --config?'],
    [['verison'], 'nexcode: there is no command "verison". Did you mean: nexcode version'],
    [['cache', 'stast', '--json'], 'nexcode cache: there is no "stast". Did you mean: nexcode cache stats'],
    [['cache', 'clear'], 'nexcode cache: there is no "clear". Did you mean: nexcode cache purge'],
    [['cache', 'frobnicate'], 'nexcode cache: there is no "frobnicate". There is: stats, purge.'],
    [
      ['init', 'extention', 'my.ts'],
      'nexcode init: there is no "extention". Did you mean: nexcode init extension my.ts',
    ],
    [['init', 'my.ts'], 'nexcode init: there is no "my.ts". Did you mean: nexcode init extension my.ts'],
    [['init', 'a.yaml'], 'nexcode init: there is no "a.yaml". Did you mean: nexcode init ledger a.yaml'],
    [['import', 'a.yaml'], 'nexcode import: there is no "a.yaml". Did you mean: nexcode import litellm a.yaml'],
    [['import', 'portkey', 'a.json'], 'nexcode import: there is no "portkey". There is: litellm.'],
    [['PROT=9000'], 'nexcode: there is no command "PROT=9000". A variable stands in front: PORT=9000 nexcode'],
    [['PROT='], 'nexcode: there is no command "PROT=". A variable stands in front: PORT=… nexcode'],
    [
      ['POTR=9000', 'check'],
      'nexcode: there is no command "POTR=9000". A variable stands in front: PORT=9000 nexcode check',
    ],
    [
      ['check', 'OPENAI_API_KYE=sk-secret'],
      'nexcode check: "OPENAI_API_KYE=…" is not expected here. A variable stands in front: OPENAI_API_KEY=… nexcode check',
    ],
    [['MY_TOKENS=sk-secret'], 'nexcode: there is no command "MY_TOKENS=…". nexcode help lists the commands.'],
    [['--config='], 'nexcode serve: --config wants a value: --config FILE'],
    [['check', '-c='], 'nexcode check: --config wants a value: --config FILE'],
    [['check', '--config', ' '], 'nexcode check: --config wants a value: --config FILE'],
    [['record', '--to='], 'nexcode record: --to wants a value: --to FOLDER'],
    [['replay', '--from', ''], 'nexcode replay: --from wants a value: --from FOLDER'],
    [['simulate', '--port='], 'nexcode simulate: --port wants a value: --port N'],
    [
      ['help', 'verison'],
      'nexcode help: there is no command and no variable "verison". Did you mean: nexcode help version',
    ],
    [['check', '--cofig', 'x'], 'nexcode check: there is no option --cofig. Did you mean --config?'],
    [['replay', '--on-mis', 'fail'], 'nexcode replay: there is no option --on-mis. Did you mean --on-miss?'],
    [['check', '--once'], 'nexcode check: --once is not for this command, but for nexcode demo.'],
    [['check', '--config'], 'nexcode check: --config wants a value: --config FILE'],
    [['check', '--config', '--json'], 'nexcode check: --config wants a value: --config FILE'],
    [['demo', '--once=yes'], 'nexcode demo: --once takes no value.'],
    [['check', 'now'], 'nexcode check: "now" is not expected here.'],
    [['9000'], 'nexcode: there is no command "9000". A variable stands in front: PORT=9000 nexcode'],
    [['simulate', '9000'], 'nexcode simulate: "9000" is not expected here. Did you mean: nexcode simulate --port 9000'],
    [['record', 'tapes'], 'nexcode record: "tapes" is not expected here. Did you mean: nexcode record --to tapes'],
    [['replay', 'tapes/'], 'nexcode replay: "tapes/" is not expected here. Did you mean: nexcode replay --from tapes/'],
    [
      ['replay', '--from', 'tapes', 'my.yaml'],
      'nexcode replay: "my.yaml" is not expected here. Did you mean: nexcode replay --config my.yaml',
    ],
    [['explain', 'a.json', 'b.json'], 'nexcode explain: "b.json" is not expected here.'],
    [
      ['check', 'my.yaml'],
      'nexcode check: "my.yaml" is not expected here. Did you mean: nexcode check --config my.yaml',
    ],
    [
      ['help', 'recrod'],
      'nexcode help: there is no command and no variable "recrod". Did you mean: nexcode help record',
    ],
  ])('%j ends with exit code 2, and says last what is wrong and what was meant', async (args, said) => {
    const { code, stdout, stderr } = await runProgram(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(said)
    expect(stderr).not.toContain('sk-secret')
    expect(stderr.split('\n').length).toBeLessThan(40)
  })
})

describe('a configuration that is not valid', () => {
  test('bad values are all reported at once, each with its name, what was wrong and an example; exit code 2', async () => {
    const bad = {
      OPENAI_API_BASE: 'ftp://upstream',
      PORT: 'eight',
      REQUIRE_AUTH: 'perhaps',
      LOG_LEVEL: 'loud',
      MAX_JSON_BYTES: '-1',
      FIRST_BYTE_TIMEOUT_MS: '5 minutes or so',
      OPENAI_API_KEY_FILE: '/nowhere/key',
    }
    for (const args of [[], ['check'], ['healthcheck']]) {
      const { code, stdout, stderr } = await runProgram(args, bad)
      expect(code).toBe(2)
      expect(stdout).toBe('')
      for (const name of Object.keys(bad)) {
        expect(stderr).toMatch(new RegExp(`^${name} .*\\.\\n {2}.+\\n {2}e\\.g\\. ${name}=`, 'm'))
      }
      expect(stderr.match(/e\.g\./g)).toHaveLength(Object.keys(bad).length)
    }
  })

  test('REQUIRE_AUTH=true with no API_TOKEN refuses to start and says how to make one', async () => {
    const { code, stderr } = await runProgram([], { REQUIRE_AUTH: 'true' })
    expect(code).toBe(2)
    expect(stderr).toContain('API_TOKEN is missing')
    expect(stderr).toContain('openssl rand -hex 32')
  })

  test('REQUIRE_AUTH=true with an API_TOKEN shorter than 16 characters refuses to start and never shows it', async () => {
    const { code, stderr } = await runProgram([], { REQUIRE_AUTH: 'true', API_TOKEN: `${TOKEN},tooshort` })
    expect(code).toBe(2)
    expect(stderr).toContain('number 2 of 2')
    expect(stderr).toContain('openssl rand -hex 32')
    expect(stderr).not.toContain('tooshort')
    expect(stderr).not.toContain(TOKEN)
  })

  test('a variable that nothing reads, but is like one of ours, is told of with the one that was meant', async () => {
    const env = { OPENAI_APIKEY: 'sk-secret', API_TOKENS: 'a,b', NEXCODE_PORT: '9000', APP_TOKEN: 'x', PORTS: '1' }
    const { code, stderr } = await runProgram([], { ...env, PORT: 'eight' })
    expect(code).toBe(2)
    expect(stderr).toContain('OPENAI_APIKEY is set, and nothing reads it. Did you mean OPENAI_API_KEY?\n')
    expect(stderr).toContain('API_TOKENS is set, and nothing reads it. Did you mean API_TOKEN?\n')
    expect(stderr.match(/nothing reads it/g)).toHaveLength(2)
    expect(stderr).not.toContain('sk-secret')
    // A short name is told of where two of its letters have changed places, and not where it is only like one of ours.
    const { stderr: short } = await runProgram([], {
      PROT: '9000',
      HSOT: 'x',
      SPORT: '1',
      HOSTS: 'x',
      LOG_LEVEL: 'loud',
    })
    expect(short.match(/^.* nothing reads it.*$/gm)).toEqual([
      'PROT is set, and nothing reads it. Did you mean PORT?',
      'HSOT is set, and nothing reads it. Did you mean HOST?',
    ])
    const { stderr: alone } = await runProgram(['healthcheck'], { NEXCODE_PORT: '9000', HOST: '127.0.0.1' })
    expect(alone).toContain('NEXCODE_PORT is set, and nothing reads it. Did you mean PORT?\n')
  })

  test.each(['http://user:secret-in-url@host/v1', 'http://host/v1?key=secret-in-url', 'http://host/v1#secret-in-url'])(
    'a base URL that has userinfo, a query or a fragment is refused and not shown: %s',
    async (url) => {
      const { code, stderr } = await runProgram([], { OPENAI_API_BASE: url })
      expect(code).toBe(2)
      expect(stderr).toStartWith('OPENAI_API_BASE has a ')
      expect(stderr).not.toContain('secret-in-url')
    },
  )
})
