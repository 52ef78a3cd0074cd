import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { makeFirstRecords } from '../../src/ledger/first-records.ts'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import type { Env } from '../helpers/gateway-under-test.ts'
import { keyRecord, newKey } from '../helpers/ledger-keys.ts'
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
  expect(made.stdout).toMatch(/^Key 'key-1' of project 'team-a' \(key_\w+\): \$5\.00\/day\.\n/)
  const second = await runProgram(['keys', 'create', '--project', 'team-a'], env)
  expect(second.stdout).toStartWith("Key 'key-2' of project 'team-a'")
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
  const row = 'alice +default +key_\\w+ +1 +1,000 +100 +\\$0\\.0035 +█{24}'
  expect((await usage('--by', 'key')).stdout).toMatch(
    new RegExp(`^KEY +PROJECT +ID +REQUESTS +INPUT +OUTPUT +COST\\n${row}\\nall +1 `, 'm'),
  )
  expect((await usage('--csv')).stdout).toMatch(
    /^name,id,project,project_id,requests,input_tokens,output_tokens,cost_usd\r\nalice,key_\w+,default,proj_default,1,1000,100,0.0035\r\n$/,
  )
  expect((await usage('--by', 'project', '--csv')).stdout).toContain('\r\ndefault,proj_default,1,1000,100,0.0035\r\n')
  expect((await usage('--by', 'model', '--csv')).stdout).toBe(
    'name,requests,input_tokens,output_tokens,cost_usd\r\ngpt-4o,1,1000,100,0.0035\r\n',
  )
  expect((await usage('--by', 'project')).stdout).toMatch(/^default +1 /m)
  expect((await usage('--by', 'day')).stdout).toMatch(/^\d{4}-\d\d-\d\d +1 /m)
})

test('keys that the SDK has made, which are all called alike, are told apart; a name of several is refused with all of them', async () => {
  const { url, ask } = await serve({ LEDGER: 'memory', ADMIN_KEY })
  const remote = (...args: string[]) => runProgram([...args, '--url', url], { ADMIN_KEY })
  const { projects } = new OpenAI({ adminAPIKey: ADMIN_KEY, apiKey: 'none', baseURL: `${url}/v1` }).admin.organization
  const { id } = await projects.create({ name: 'team-b' })
  const [one, other] = await Promise.all([
    projects.serviceAccounts.create(id, { name: 'search' }),
    projects.serviceAccounts.create(id, { name: 'chat' }),
  ])
  for (const { api_key } of [one, other]) expect(await ask(api_key?.value ?? '')).toBe(200)
  expect(await ask('token-of-the-tests')).toBe(200)
  const lines = async () => (await remote('usage', '--csv')).stdout.trim().split('\r\n').slice(1)
  await until(async () => (await lines()).length === 3)
  expect((await lines()).map((line) => line.split(',').slice(0, 4)).toSorted()).toEqual([
    ['chat', other.api_key?.id, 'team-b', id],
    ['search', one.api_key?.id, 'team-b', id],
    [expect.stringMatching(/^token-\w{8}$/), expect.stringMatching(/^key_token\./), 'default', 'proj_default'],
  ])
  const refused = await remote('keys', 'revoke', 'Secret Key')
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(/several keys are called 'Secret Key'\. Name one by its id:\nID +NAME +PROJECT +KEY/)
  for (const { name, api_key } of [one, other])
    expect(refused.stderr).toMatch(new RegExp(`^${api_key?.id} +${name} +team-b +sk-nex-\\.\\.\\.\\w{4}`, 'm'))
  expect((await remote('keys', 'revoke', 'chat')).stdout).toStartWith(`Key 'chat' (${other.api_key?.id}) is revoked`)
})

test('all keys are listed, however many pages they are, as a table, JSON or CSV', async () => {
  const env = ledgerEnv()
  const ledger = await openLedger(env['LEDGER'] ?? '')
  await makeFirstRecords(ledger, 1)
  const put = Array.from({ length: 230 }, (_, at) => keyRecord(`key_${at}`, newKey(), { name: `many-${at}` }))
  await ledger.edit({ put, remove: [], audit: [] })
  await ledger.close()
  const { stdout } = await runProgram(['keys', 'list', '--csv'], env)
  const [head, ...rows] = stdout.trim().split('\r\n')
  expect(head).toBe('id,name,project,key,limits,spent,last_used,expires,project_id,managed_by')
  expect(new Set(rows.map((row) => row.split(',')[0])).size).toBe(230)
  expect(rows).toContain('key_7,many-7,default,sk-nex-...,no limits,,never,never,proj_default,api')
  const listed = JSON.parse((await runProgram(['keys', 'list', '--json'], env)).stdout) as readonly object[]
  expect(listed).toHaveLength(230)
  expect(listed).toContainEqual(expect.objectContaining({ id: 'key_7', project_id: 'proj_default' }))
  expect((await runProgram(['projects', 'list', '--csv'], env)).stdout).toBe(
    'id,name,limits,time_zone,status,managed_by\r\nproj_default,default,no limits,UTC,active,api\r\n',
  )
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
    ['keys list --csv --json', env, 2, /use --json or --csv, not both/],
    ['keys show alice --csv', env, 2, /--csv is for lists/],
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
