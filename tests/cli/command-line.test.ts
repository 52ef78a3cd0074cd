import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import packageJson from '../../package.json' with { type: 'json' }
import { ENV_ROWS } from '../../src/config/env.ts'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(20_000)

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

  test.each([
    ['an unknown command', ['serv'], 'there is no command "serv"', 'nexcode demo [--once]'],
    ['an unknown flag', ['--prot=8000'], '--prot', 'nexcode --help'],
    ['a value for a flag that takes none', ['demo', '--once=yes'], '--once', 'nexcode --help'],
    ['a word too many', ['check', 'now'], '"now" is not expected', 'nexcode check'],
  ])('%s ends with exit code 2 and the cure', async (_what, args, said, cure) => {
    const { code, stdout, stderr } = await runProgram(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(said)
    expect(stderr).toContain(cure)
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
