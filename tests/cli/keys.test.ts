import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../helpers/gateway-under-test.ts'
import { answerUsed } from '../helpers/metered-gateway.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { until } from '../helpers/until.ts'

setDefaultTimeout(60_000)

const ADMIN_KEY = 'admin-key-of-the-tests-0123456789abcdef'
const KEY = /^ {2}(sk-nex-\w+)$/m
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

/** The environment of a ledger in a file of its own. */
function ledgerEnv(): Env {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-keys-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return { LEDGER: `sqlite:${join(folder, 'ledger.db')}` }
}

/** A gateway with that ledger before an upstream whose calls cost $0.0035, and the status that a key's chat gets. */
async function serve(env: Env) {
  const gateway = await startGateway({
    upstreams: { openai: answerUsed(1000, 100) },
    settings: { openai: {} },
    env: { REQUIRE_AUTH: 'true', OPENAI_API_KEY: 'sk-server', API_TOKEN: 'token-of-the-tests', ...env },
  })
  cleanUps.push(gateway.stop)
  const ask = async (key: string, model = 'gpt-4o'): Promise<number> => {
    const answer = await gateway.chat({ model }, { authorization: `Bearer ${key}` })
    await answer.text()
    return answer.status
  }
  return { url: gateway.url, ask }
}

const keyIn = (text: string): string => KEY.exec(text)?.[1] ?? 'no key'

test('a key is made, used, rotated with a grace time and revoked, while the server runs', async () => {
  const env = ledgerEnv()
  const { ask } = await serve(env)
  await runProgram(['projects', 'create', 'team-a', '--budget', '500/month'], env)
  const limits = ['--models', 'gpt-4o*', '--budget', '50/month', '--rpm', '60', '--expires', '90d']
  const made = await runProgram(['keys', 'create', '--project', 'team-a', '--name', 'alice', ...limits], env)
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toMatch(
    /^Key 'alice' of project 'team-a' \(key_\w+\): \$50\.00\/month, 60 requests\/min, only gpt-4o\*, until \d{4}-\d\d-\d\d\.\nIt is shown this once:\n/,
  )
  const first = keyIn(made.stdout)
  expect(made.stdout).toContain(`export OPENAI_API_KEY=${first}\n`)
  await until(async () => (await ask(first)) === 200)
  expect(await ask(first, 'gpt-5')).toBe(404)
  const rotated = await runProgram(['keys', 'rotate', 'alice', '--grace', '48h'], env)
  const second = keyIn(rotated.stdout)
  await until(async () => (await ask(second)) === 200)
  expect([first === second, await ask(first)]).toEqual([false, 200])
  const listed = await runProgram(['keys', 'list'], env)
  expect(listed.stdout).toMatch(/key_\w+ +alice +team-a +sk-nex-\.\.\.\w{4} +\$50\.00\/month/)
  expect(listed.stdout).not.toContain(second)
  expect((await runProgram(['keys', 'show', 'alice'], env)).stdout).toMatch(/^spent +\$0\.\d+ of \$50\.00\/month$/m)
  expect((await runProgram(['keys', 'revoke', 'alice'], env)).code).toBe(0)
  await until(async () => (await ask(second)) === 401)
  expect(await ask(first)).toBe(401)
})

test('a key makes the project that it is for, where there is none of that name', async () => {
  const env = ledgerEnv()
  const made = await runProgram(['keys', 'create', '--project', 'team-a', '--budget', '5/day'], env)
  expect(made.stdout).toMatch(/^Key 'key' of project 'team-a' \(key_\w+\): \$5\.00\/day\.\n/)
  await runProgram(['keys', 'create', '--project', 'team-a'], env)
  const { stdout } = await runProgram(['projects', 'list', '--json'], env)
  expect(stdout.match(/"name": ?"team-a"/g)).toHaveLength(1)
})

test('usage is a table with bars, JSON or CSV, by key, project, model or day', async () => {
  const env = ledgerEnv()
  const { ask } = await serve(env)
  const key = keyIn((await runProgram(['keys', 'create', '--name', 'alice'], env)).stdout)
  await until(async () => (await ask(key)) === 200)
  const usage = (...args: string[]) => runProgram(['usage', ...args], env)
  await until(async () => (await usage('--json')).stdout.includes('"requests": 1'))
  const row = 'alice +1 +1,000 +100 +\\$0\\.0035 +█{24}'
  expect((await usage('--by', 'key')).stdout).toMatch(
    new RegExp(`^KEY +REQUESTS +INPUT +OUTPUT +COST\\n${row}\\nall +1 `, 'm'),
  )
  expect((await usage('--by', 'model', '--csv')).stdout).toBe(
    'name,requests,input_tokens,output_tokens,cost_usd\r\ngpt-4o,1,1000,100,0.0035\r\n',
  )
  expect((await usage('--by', 'project')).stdout).toMatch(/^default +1 /m)
  expect((await usage('--by', 'day')).stdout).toMatch(/^\d{4}-\d\d-\d\d +1 /m)
})

test('a ledger in a server’s memory is reached through the server, by ADMIN_KEY', async () => {
  const { url, ask } = await serve({ LEDGER: 'memory', ADMIN_KEY })
  const made = await runProgram(['keys', 'create', '--url', `${url}/v1`], { ADMIN_KEY })
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toContain(`export OPENAI_BASE_URL=${url}/v1\n`)
  expect(await ask(keyIn(made.stdout))).toBe(200)
  const refused = await runProgram(['keys', 'list', '--url', url], { ADMIN_KEY: `${ADMIN_KEY}x` })
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(/^nexcode keys: Incorrect API key/)
})

test('what can’t be done says why, and what to do: exit code 2 for what is misspelt or not configured, 1 for a refusal', async () => {
  const env = ledgerEnv()
  await runProgram(['projects', 'create', 'team-a'], env)
  const cases: readonly (readonly [args: string, env: Env, code: number, said: RegExp])[] = [
    ['keys list', {}, 2, /no ledger is configured.*Set LEDGER=sqlite:/],
    ['keys list', { LEDGER: 'memory' }, 2, /ADMIN_KEY is not set: a ledger that is in the server's memory/],
    ['keys', env, 2, /say what to do: nexcode keys create/],
    ['keys creat', env, 2, /Did you mean: nexcode keys create/],
    ['keys create --project teem-a', env, 2, /there is no project 'teem-a'\. Did you mean 'team-a'\?/],
    ['keys create --budget 50/weak', env, 2, /--budget is dollars for a day, week, month or in total/],
    ['keys create --expires soon', env, 2, /--expires is a length of time/],
    ['keys revoke nobody', env, 2, /there is no key 'nobody'/],
    ['projects create team-a', env, 2, /there is a project 'team-a' already/],
    ['projects create team-b --time-zone Mars/Base', env, 1, /'Mars\/Base' is no time zone/],
    ['projects update team-a', env, 2, /say what to change/],
    ['usage --by keys', env, 2, /--by is key, project, model or day\. Did you mean "key"\?/],
  ]
  for (const [line, variables, code, said] of cases) {
    const end = await runProgram(line.split(' '), variables)
    expect([line, end.code, end.stdout]).toEqual([line, code, ''])
    expect(end.stderr).toMatch(said)
  }
})
