import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childrenOf } from '../helpers/child-processes.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, type RawResponse, sendRaw } from '../helpers/raw-client.ts'
import { startOnTerminal } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import {
  connectToEach,
  makeRemovable,
  type StreamingUpstream,
  startStreamingUpstream,
  startWorkers,
} from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const UP = { status: 'ok', workers: { up: 2, of: 2 } }

let streams: StreamingUpstream
beforeAll(async () => {
  streams = await startStreamingUpstream()
})
afterAll(() => streams.upstream.close())

const pidOf = (gateway: TestGateway): number => gateway.child?.pid ?? 0

/** The answer to a request on a connection of its own; undefined: it was with a process that is no more. */
function get(gateway: TestGateway, target: string): Promise<RawResponse | undefined> {
  return sendRaw(gateway.port, getText(target, { Authorization: 'Bearer sk-mine' })).catch(() => undefined)
}

describe('WORKERS=2', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startWorkers(streams)
  })
  afterAll(() => gateway.stop())

  test('says once that it listens, on one free port for both, when both are up', async () => {
    expect(gateway.lines[0]).toMatchObject({ msg: 'listening', workers: 2, url: `http://127.0.0.1:${gateway.port}` })
    expect(gateway.lines[0]).not.toHaveProperty('worker')
    expect(gateway.port).toBeGreaterThan(0)
    expect((await get(gateway, '/ready'))?.json()).toEqual({ status: 'ready', workers: { up: 2, of: 2 } })
    expect(childrenOf(pidOf(gateway))).toHaveLength(2)
    expect(gateway.lines.filter(({ msg }) => msg === 'listening')).toHaveLength(1)
    expect(gateway.stderr()).toBe('')
  })

  test('both serve, each with its number in its lines of the log, and each speaks for both', async () => {
    const clients = await connectToEach(gateway)
    expect([...clients.keys()].toSorted()).toEqual([1, 2])
    for (const client of clients.values()) {
      expect((await client.response()).json()).toEqual(UP)
      client.leave()
    }
    const exchanges = gateway.lines.filter(({ msg }) => msg === 'exchange')
    expect(exchanges.filter(({ worker }) => worker !== 1 && worker !== 2)).toEqual([])
  })
})

test('a worker that is told to end by itself lets its requests finish first, and is replaced', async () => {
  const gateway = await startWorkers(streams)
  const [pid = 0] = childrenOf(pidOf(gateway))
  const clients = await connectToEach(gateway)
  await Promise.all([...clients].map(([worker, client]) => streams.begin(client, `recycled-${worker}`)))
  process.kill(pid, 'SIGTERM')
  const { worker } = await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  // It waits, however often it is told.
  process.kill(pid, 'SIGTERM')
  streams.finish(`recycled-${worker}`)
  await clients.get(Number(worker))?.until((received) => received.includes('[DONE]'))
  expect(await gateway.line(({ level }) => level === 40)).toMatchObject({ worker, pid, code: 0, signal: null })
  expect(await gateway.line(({ msg }) => msg === 'a worker is up again')).toMatchObject({ worker })
  await gateway.stop()
})

test('one that is killed is missed and started again, ever more slowly until it works; the other serves meanwhile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-removable-'))
  const program = makeRemovable(folder)
  const gateway = await startWorkers(streams, {}, program.command)
  const [pid = 0, other = 0] = childrenOf(pidOf(gateway))
  program.remove()
  process.kill(pid, 'SIGKILL')
  await gateway.line(({ delay_ms }) => delay_ms === 100)
  for (let n = 0; n < 10; n += 1) {
    // One that is left is enough to take requests.
    const answer = await get(gateway, '/ready')
    expect([answer?.status, answer?.json()]).toEqual([200, { status: 'ready', workers: { up: 1, of: 2 } }])
  }
  expect((await get(gateway, '/v1/models'))?.status).toBe(200)

  await gateway.line(({ delay_ms }) => delay_ms === 800)
  program.restore()
  const found = await gateway.line(({ msg }) => msg === 'a worker is up again')
  const lost = gateway.lines.filter(({ msg }) => msg === 'a worker ended, and is started again')
  expect(lost[0]).toMatchObject({ level: 40, worker: found['worker'], pid })
  expect(lost.slice(0, 4).map(({ code, signal, delay_ms }) => [code, signal, delay_ms])).toEqual([
    [null, 'SIGKILL', 100],
    [1, null, 200],
    [1, null, 400],
    [1, null, 800],
  ])
  expect(childrenOf(pidOf(gateway))).toEqual([other, Number(found['pid'])])
  for (const client of (await connectToEach(gateway)).values()) {
    expect((await client.response()).json()).toEqual(UP)
    client.leave()
  }
  await gateway.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('the banner for a person says how many there are', async () => {
  const env = { HOST: '127.0.0.1', PORT: '0', WORKERS: '2', OPENAI_API_BASE: `${streams.upstream.url}/v1` }
  const program = startOnTerminal([], env)
  const shown = await program.until('Stop with Ctrl-C')
  expect(shown).toMatch(/workers +2\r?\n/)
  expect(shown.match(/base_url/g)).toHaveLength(1)
  await program.stop()
})

test('WORKERS=1 is one process, as without it: no other beside it, and no word of workers', async () => {
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${streams.upstream.url}/v1`,
      WORKERS: '1',
      LOG_LEVEL: 'debug',
    },
    command: gatewayCommand(),
  })
  expect((await get(gateway, '/ready'))?.json()).toEqual({ status: 'ready' })
  expect(await gateway.exchange(1)).not.toHaveProperty('worker')
  expect(gateway.lines[0]).not.toHaveProperty('workers')
  expect(childrenOf(pidOf(gateway))).toEqual([])
  await gateway.stop()
})
