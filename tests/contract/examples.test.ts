import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { SimulatedServer } from '../../src/cli/simulated-server.ts'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { preparePython } from '../helpers/python.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname
const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the example in Python: ${python.missing}\n`)

const TOKEN = 'a-token-of-the-gateway'
const SERVER_KEY = 'sk-of-the-server'
const HEADINGS = ['=== 1. Chat completion ===', '=== 2. Text completion ===', '=== 3. Streaming ===']

let gateway: TestGateway<'openai', SimulatedServer>

beforeAll(async () => {
  const env = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, OPENAI_API_KEY: SERVER_KEY }
  gateway = await startGateway({ upstreams: { openai: { requireKey: SERVER_KEY } }, env })
})
afterAll(() => gateway.stop())

async function run(
  command: readonly string[],
  apiKey: string,
  baseUrl = `${gateway.url}/v1`,
): Promise<{ code: number; printed: string }> {
  const child = Bun.spawn([...command], {
    env: {
      PATH: process.env['PATH'] ?? '',
      OPENAI_BASE_URL: baseUrl,
      OPENAI_API_KEY: apiKey,
      PYTHONIOENCODING: 'utf-8',
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect(complaints).toBe('')
  return { code: await child.exited, printed }
}

describe.each([
  ['examples/node.ts', false, [process.execPath, `${EXAMPLES}node.ts`]],
  [
    'examples/simple_openai_usage.py',
    'missing' in python,
    ['executable' in python ? python.executable : '', '-B', `${EXAMPLES}simple_openai_usage.py`],
  ],
] as const)('%s runs against the simulated OpenAI through the gateway', (_name, isSkipped, command) => {
  test.skipIf(isSkipped)(
    'each step goes as it should, with an API_TOKEN as its key',
    async () => {
      const { code, printed } = await run(command, TOKEN)
      expect(printed).toEndWith('4 of 4 steps went as they should.\n')
      for (const heading of HEADINGS) expect(printed).toContain(heading)
      expect(printed).toContain('As expected: NotFoundError, status 404, code model_not_found')
      expect(printed).toMatch(/tokens, in [1-9]\d* chunks\)/)
      expect(printed).not.toContain('FAILED')
      expect(code).toBe(0)
    },
    60_000,
  )

  test.skipIf(isSkipped)(
    'a wrong key is explained, and the exit code is 1',
    async () => {
      const { code, printed } = await run(command, 'a-token-of-another-gateway')
      expect(printed).toContain('FAILED. The key was refused; set OPENAI_API_KEY.')
      expect(code).toBe(1)
    },
    60_000,
  )
})

describe('examples/curl.sh', () => {
  const command = ['sh', `${EXAMPLES}curl.sh`]

  test('runs against the simulated OpenAI through the gateway', async () => {
    const { code, printed } = await run(command, TOKEN)
    expect(printed).toEndWith('5 of 5 steps went as they should.\n')
    for (const heading of HEADINGS) expect(printed).toContain(heading)
    expect(printed).toContain('data: [DONE]')
    expect(code).toBe(0)
  }, 60_000)

  test('counts every status but the wanted one as a failure, also where an error is wanted', async () => {
    await using broken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('', { status: 502 }) })
    const { code, printed } = await run(command, TOKEN, `${broken.url}v1`)
    expect(printed).toContain('FAILED. The status should be 404.')
    expect(printed).toEndWith('0 of 5 steps went as they should.\n')
    expect(code).toBe(1)
  }, 60_000)

  test('says that nobody is there, and how to change that', async () => {
    const { code, printed } = await run(command, TOKEN, `http://127.0.0.1:${await freePort()}/v1`)
    expect(printed).toContain('Is NexCode running? Start it with npm start, or npm run demo.')
    expect(code).toBe(1)
  }, 60_000)
})

test.each([...new Bun.Glob('*.ts').scanSync(`${EXAMPLES}extensions`)].filter((name) => !name.endsWith('.d.ts')))(
  'examples/extensions/%s runs as it is, without options',
  async (name) => {
    const gateway = await startGateway({
      env: { EXTENSIONS: `${EXAMPLES}extensions/${name}` },
      command: gatewayCommand(),
    })
    expect(gateway.lines[0]).toMatchObject({ msg: 'listening', extensions: name })
    await gateway.stop()
  },
  60_000,
)
