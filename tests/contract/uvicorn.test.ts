import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { freePort } from '../helpers/free-port.ts'
import { preparePython } from '../helpers/python.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(120_000)

const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the tests with uvicorn: ${python.missing}\n`)

const APP_DIR = new URL('python', import.meta.url).pathname
const CHAT = { messages: [{ role: 'user', content: 'x' }] }

let server: Bun.Subprocess | undefined
let gateway: TestGateway | undefined

afterEach(async () => {
  await gateway?.stop()
  server?.kill('SIGKILL')
  await server?.exited
})

/** Starts the real server with one of its two HTTP parsers, and a gateway in front. */
async function start(executable: string, parser: string): Promise<TestGateway> {
  const port = await freePort()
  const args = ['--app-dir', APP_DIR, '--port', String(port), '--http', parser, '--log-level', 'critical']
  server = Bun.spawn([executable, '-B', '-m', 'uvicorn', 'raising_app:app', ...args], { stdout: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(url).catch(() => undefined))) await Bun.sleep(20)
  gateway = await startGateway({ env: { OPENAI_API_BASE: `${url}/v1` } })
  return gateway
}

async function statusOf({ url }: TestGateway, model: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, ...CHAT }),
  })
  await answer.text()
  return answer.status
}

/** How each good call went that came right behind a bad one. */
async function pairs(to: TestGateway, count: number): Promise<number[]> {
  const good: number[] = []
  for (let pair = 0; pair < count; pair += 1) {
    await statusOf(to, 'bad')
    good.push(await statusOf(to, 'good'))
  }
  return good
}

describe.skipIf('missing' in python).each(['h11', 'httptools'])('uvicorn with %s', (parser) => {
  test('raises on one request and fails no other: 200 pairs, one after the other and eight at once', async () => {
    if ('missing' in python) return
    const to = await start(python.executable, parser)
    const good = await pairs(to, 100)
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => pairs(to, 13)))
    expect([...good, ...atOnce.flat()].filter((status) => status !== 200)).toEqual([])
  })
})
