import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { DONE, event } from '../helpers/cache-calls.ts'
import type { Env } from '../helpers/gateway-under-test.ts'
import { preparePython } from '../helpers/python.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(120_000)

const SCRIPT = new URL('python/streams_left_at_done.py', import.meta.url).pathname
const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) streams that the Python SDK leaves: ${python.missing}\n`)

let upstream: ScriptedUpstream
let gateway: TestGateway

afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

/** Starts a gateway in front of streams whose bodies end a while behind `[DONE]`. */
async function start(endMs: readonly number[], env: Env): Promise<void> {
  let count = 0
  upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(event('hi'))
    connection.chunk(DONE)
    const ms = endMs[count % endMs.length] ?? 0
    count += 1
    await Bun.sleep(ms)
    connection.endChunks()
  })
  gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, ...env } })
}

async function read(client: string, times: number, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  if ('missing' in python) throw new Error(python.missing)
  const child = Bun.spawn([python.executable, '-B', SCRIPT], {
    env: { BASE_URL: `${gateway.url}/v1`, CLIENT: client, TIMES: String(times), ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(complaints)
  return JSON.parse(printed)
}

describe.skipIf('missing' in python).each(['sync', 'async'])(
  'streams that openai-python leaves at [DONE] (%s)',
  (client) => {
    test('are complete in the log, and leave their connection upstream for the next call', async () => {
      await start([1, 5, 20, 50], {})
      // The client thinks for longer than an end takes: without the pause, a fast machine has ten calls between a [DONE] and its end.
      expect(await read(client, 40, { PAUSE_S: '0.06' })).toEqual(Array(40).fill('hi'))
      const lines = await Promise.all(Array.from({ length: 40 }, (_, index) => gateway.exchange(index + 1)))
      expect(new Set(lines.map(({ status, outcome }) => `${status} ${outcome}`))).toEqual(new Set(['200 complete']))
      expect(upstream.requests).toHaveLength(40)
      // One where nothing else runs; more where the machine was too busy for an end to come in time.
      expect(upstream.connectionCount()).toBeLessThanOrEqual(10)
    })

    test('are kept by the cache, and for their Idempotency-Key', async () => {
      await start([50], { CACHE: 'memory' })
      expect(await read(client, 1)).toEqual(['hi'])
      await gateway.exchange(1)
      expect(await read(client, 3)).toEqual(['hi', 'hi', 'hi'])
      expect(upstream.requests).toHaveLength(1)
      expect(await read(client, 1, { KEY: 'once' })).toEqual(['hi'])
      await gateway.exchange(5)
      expect(await read(client, 2, { KEY: 'once' })).toEqual(['hi', 'hi'])
      expect(upstream.requests).toHaveLength(2)
    })
  },
)
