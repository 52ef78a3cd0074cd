import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { installFromNpm } from '../helpers/npm-package.ts'
import { preparePython } from '../helpers/python.ts'
import { answerAsAnthropic } from '../helpers/scripted-anthropic.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(120_000)

const TOKEN = 'token-one-0123456789abcdef'
const FOLDER = new URL('.', import.meta.url).pathname
const python = await preparePython()
const npm = await installFromNpm('@anthropic-ai/sdk', '1.14.0')
for (const [name, one] of Object.entries({ Python: python, Node: npm })) {
  if ('missing' in one) process.stderr.write(`(skip) the tests with Anthropic's SDK for ${name}: ${one.missing}\n`)
}

let gateway: TestGateway<'claude' | 'gone'>

beforeAll(async () => {
  const target = (upstream: 'claude' | 'gone', model?: string) => ({
    targets: [{ upstream, ...(model !== undefined && { model }) }],
  })
  gateway = await startGateway({
    upstreams: { claude: answerAsAnthropic, gone: (_request, connection) => connection.reset() },
    settings: { claude: { preset: 'anthropic', api_key: 'sk-ant-of-the-server-0123456789' } },
    file: {
      unknown_models: 'refuse',
      models: {
        'claude-a': target('claude', 'claude-real'),
        'claude-limited': { ...target('claude'), retry: { attempts: 1 } },
        'claude-cut': target('claude'),
        'claude-gone': target('gone'),
      },
    },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN },
  })
})

afterAll(() => gateway.stop())

const EXPECTED = {
  create: ['Hello', 'claude-real', 12, 'req_upstream_1'],
  bearer: 'Hello',
  stream: ['Hello, 世界', 5],
  tools: ['tool_use', 'get_weather', { city: 'Bern' }],
  count: 7,
  models: ['claude-a', 'claude-limited', 'claude-cut', 'claude-gone'].map((name) => [name, name, 'model']),
  'wrong key': ['AuthenticationError', 401, 'authentication_error'],
  'unknown model': ['NotFoundError', 404, 'not_found_error'],
  limited: ['RateLimitError', 429, 'rate_limit_error'],
  unreachable: ['InternalServerError', 502, 'api_error'],
  cut: [true, 'api_error'],
}

describe('Anthropic’s SDKs get answers, streams, tools, counts, models and typed errors', () => {
  test.skipIf('missing' in npm)('in Node', async () => {
    if ('missing' in npm) throw new Error(npm.missing)
    const sdk = `${npm.folder}/@anthropic-ai/sdk/index.mjs`
    expect(await outcomeOf(['node', `${FOLDER}node/anthropic-cases.mjs`], { SDK: sdk })).toEqual(EXPECTED)
  })

  test.skipIf('missing' in python)('in Python', async () => {
    if ('missing' in python) throw new Error(python.missing)
    expect(await outcomeOf([python.executable, '-B', `${FOLDER}python/anthropic_cases.py`])).toEqual(EXPECTED)
  })
})

/** Runs a program with the cases, and gives what it has printed. */
async function outcomeOf(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const env = { PATH: process.env['PATH'] ?? '', BASE_URL: gateway.url, TOKEN, ...more }
  const child = Bun.spawn([...command], { env, stdout: 'pipe', stderr: 'pipe' })
  const [printed, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect([await child.exited, complaints]).toEqual([0, ''])
  return JSON.parse(printed)
}
