import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type RunningProgram, runProgram, startOnTerminal } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const TOKENS = 'alice:alices-token-0000001,bob:bobs-token-000000002'
const NOWHERE = { OPENAI_API_BASE: 'http://127.0.0.1:1/v1' }
const GUARDED = { ...NOWHERE, REQUIRE_AUTH: 'true', API_TOKEN: TOKENS }

let file: ConfigFile | undefined
let gateway: TestGateway | undefined
let program: RunningProgram | undefined
afterEach(async () => {
  await gateway?.stop()
  await program?.stop()
  file?.remove()
  gateway = program = file = undefined
})

const guard = (match: string): string => `params:\n  - match: { ${match} }\n    clamp: { max_tokens: { max: 10 } }\n`

describe('a guard that can never fit', () => {
  test.each([
    ['principal: alcie', '"alcie" fits nobody: no token has that name.\n  Did you mean "alice"?'],
    ['principal: token-1', 'The token at that place goes by the name of alice: write that.'],
    ['endpoint: chat/completion', 'Did you mean "chat/completions"?'],
  ])('ends check and the start with exit code 2, the place and the cure: %s', async (match, said) => {
    file = writeConfigFile(guard(match))
    for (const args of [['check'], []]) {
      const { code, stderr } = await runProgram([...args, '--config', file.path], { ...GUARDED, PORT: '0' })
      expect(code).toBe(2)
      expect(stderr).toStartWith(`${file.path}:2:`)
      expect(stderr).toContain(said)
    }
  })

  test('whose name may come with the file of tokens is a warning of check, of the start, and of a reload, until it does', async () => {
    file = writeConfigFile(guard('principal: carol'))
    const tokens = join(dirname(file.path), 'tokens')
    writeFileSync(tokens, TOKENS)
    const env = { ...NOWHERE, REQUIRE_AUTH: 'true', API_TOKEN_FILE: tokens, NEXCODE_CONFIG: file.path }
    const { stdout } = await runProgram(['check'], env)
    const place = `${file.path}:2:25 params[0].match.principal "carol" fits nobody: no token has that name.`
    expect(stdout).toContain(`! ${place}`)
    gateway = await startGateway({ env, command: gatewayCommand() })
    expect(await gateway.line(({ msg }) => String(msg).startsWith(place))).toMatchObject({ level: 40 })
    writeFileSync(tokens, `${TOKENS},carol:carols-token-0000003`)
    await watchReloads(gateway).reloaded(1)
    expect(gateway.lines.filter(({ msg }) => String(msg).startsWith(place))).toHaveLength(1)
    // A token is revoked, whatever rules are about its holder.
    writeFileSync(tokens, TOKENS)
    await watchReloads(gateway).reloaded(2)
    const headers = { authorization: 'Bearer carols-token-0000003' }
    expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(401)
  })
})

describe('tokens that nobody is asked for', () => {
  const WARNING = 'API_TOKEN is set, but nobody is asked for a token: REQUIRE_AUTH is not true.'
  // As in the document that NexCode was written for.
  const env = { ...NOWHERE, REQUIRE_AUTH: 'false', API_TOKEN: 'your-server-token', HOST: '127.0.0.1', PORT: '0' }

  test('are a warning of check, which still says that the configuration is valid', async () => {
    const { code, stdout } = await runProgram(['check'], env)
    expect(stdout).toContain('✓ configuration is valid')
    expect(stdout).toContain(`! ${WARNING}`)
    expect(code).toBe(1)
  })

  test('are a warning in the log, and the server runs', async () => {
    gateway = await startGateway({ env, command: gatewayCommand() })
    expect(await gateway.line(({ msg }) => String(msg).startsWith(WARNING))).toMatchObject({ level: 40 })
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200)
  })

  test('are a line of the banner on a terminal', async () => {
    program = startOnTerminal([], env)
    await program.until('Stop with Ctrl-C')
    expect(program.output()).toContain(`warning    ${WARNING}`)
  })

  test('are none where they are asked for, or where there are none', async () => {
    for (const one of [{ ...GUARDED, HOST: '127.0.0.1' }, NOWHERE]) {
      const { stdout } = await runProgram(['check'], one)
      expect(stdout).not.toContain('! ')
    }
  })
})
