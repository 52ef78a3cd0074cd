import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { childrenOf, endOf, isRunning } from '../helpers/child-processes.ts'
import { openRawClient, parseResponse } from '../helpers/raw-client.ts'
import { startOnTerminal, startProgram } from '../helpers/run-program.ts'
import type { TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'
import {
  connectToEach,
  EVENT,
  laterBytes,
  type StreamingUpstream,
  startStreamingUpstream,
  startWorkers,
} from '../helpers/workers.ts'

setDefaultTimeout(60_000)

let streams: StreamingUpstream
beforeAll(async () => {
  streams = await startStreamingUpstream()
})
afterAll(() => streams.upstream.close())

const pidOf = (gateway: TestGateway): number => gateway.child?.pid ?? 0

/** A gateway of two workers with a stream under way on each, named `prefix-1` and `prefix-2`. */
async function startWithStreams(prefix: string) {
  const gateway = await startWorkers(streams)
  const clients = await connectToEach(gateway)
  for (const [worker, client] of clients) await streams.begin(client, `${prefix}-${worker}`)
  return { gateway, clients, pids: childrenOf(pidOf(gateway)) }
}

/** Resolves when fresh connections to a port are refused. */
async function refusal(port: number): Promise<void> {
  const isRefused = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve(!socket.destroy()))
      socket.on('error', () => resolve(true))
    })
  while (!(await isRefused())) await Bun.sleep(10)
}

describe('a signal to the supervisor', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s reaches all: the stream on each finishes; exit code 0',
    async (signal) => {
      const { gateway, clients, pids } = await startWithStreams(signal)
      gateway.child?.kill(signal)
      await refusal(gateway.port)
      for (const worker of [1, 2]) {
        await gateway.line((line) => line['worker'] === worker && String(line['msg']).startsWith('draining'))
      }
      for (const [worker, client] of clients) {
        streams.finish(`${signal}-${worker}`)
        await client.closed
        const answer = parseResponse(laterBytes(client))
        expect(answer?.isComplete).toBe(true)
        expect(answer?.text()).toBe(`${EVENT}data: [DONE]\n\n`)
      }
      expect(await gateway.child?.exited).toBe(0)
      expect(pids.filter(isRunning)).toEqual([])
      const stopped = gateway.lines.filter(({ msg }) => msg === 'stopped')
      expect(stopped.map(({ worker, complete }) => [worker, complete]).toSorted()).toEqual([
        [undefined, true],
        [1, true],
        [2, true],
      ])
      // What has the last word is the supervisor, whose line carries no worker.
      expect(gateway.lines.at(-1)).toBe(stopped.at(-1))
      expect(gateway.lines.at(-1)).not.toHaveProperty('worker')
      expect(gateway.lines.filter(({ level }) => level === 40)).toEqual([])
      expect(gateway.stderr()).toBe('')
    },
  )

  test('when the drain time is over, what is left on any worker is broken off, and the whole says so', async () => {
    const gateway = await startWorkers(streams, { DRAIN_TIMEOUT_MS: '300' })
    const client = await openRawClient(gateway.port)
    await streams.begin(client, 'late')
    gateway.child?.kill('SIGTERM')
    expect(await gateway.child?.exited).toBe(0)
    await client.closed
    expect(parseResponse(client.received())?.isComplete).toBe(false)
    expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped', complete: false })
  })

  test('a second one ends all at once with its code, and no line of the log is lost', async () => {
    const { gateway, clients, pids } = await startWithStreams('second')
    const other = await openRawClient(gateway.port)
    await streams.begin(other, 'other')
    gateway.child?.kill('SIGTERM')
    for (const worker of [1, 2, undefined]) {
      await gateway.line((line) => line['worker'] === worker && String(line['msg']).startsWith('draining'))
    }
    streams.finish('other')
    expect((await other.response()).isComplete).toBe(true)
    const startedAt = performance.now()
    gateway.child?.kill('SIGINT')
    expect(await gateway.child?.exited).toBe(130)
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS)
    expect(pids.filter(isRunning)).toEqual([])
    for (const client of clients.values()) {
      await client.closed
      expect(parseResponse(laterBytes(client))?.isComplete).toBe(false)
    }
    await gateway.line(({ route, outcome }) => route === 'chat.completions' && outcome === 'complete')
  })

  test('a worker that is stuck does not keep a second one from ending all', async () => {
    const { gateway, pids } = await startWithStreams('stuck')
    process.kill(pids[0] ?? 0, 'SIGSTOP')
    gateway.child?.kill('SIGTERM')
    await gateway.line(({ msg, worker }) => worker === undefined && String(msg).startsWith('draining'))
    gateway.child?.kill('SIGTERM')
    expect(await gateway.child?.exited).toBe(143)
    expect(pids.filter(isRunning)).toEqual([])
  })

  test('while the first worker starts leaves none behind', async () => {
    const env = { HOST: '127.0.0.1', PORT: '0', WORKERS: '2', LOG_FORMAT: 'json' }
    const program = startProgram([], env)
    const { pid } = program.child
    while (childrenOf(pid).length === 0) await Bun.sleep(1)
    const pids = childrenOf(pid)
    program.child.kill('SIGTERM')
    expect(await program.child.exited).toBe(0)
    expect(pids.filter(isRunning)).toEqual([])
    await program.stop()
    expect(program.output()).toEndWith('"complete":true,"msg":"stopped"}\n')
  })

  test('while workers are about to be started again starts none', async () => {
    const gateway = await startWorkers(streams)
    const pids = childrenOf(pidOf(gateway))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await gateway.line(({ level }) => level === 40)
    gateway.child?.kill('SIGTERM')
    expect(await gateway.child?.exited).toBe(0)
    await refusal(gateway.port)
    expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped' })
  })
})

describe('Ctrl-C, which a terminal sends to all processes at once', () => {
  test('is one signal: streams finish; a second one ends all', async () => {
    const env = { HOST: '127.0.0.1', PORT: '0', WORKERS: '2', LOG_FORMAT: 'json' }
    const program = startOnTerminal([], { ...env, OPENAI_API_BASE: `${streams.upstream.url}/v1` })
    const port = Number(/127\.0\.0\.1:(\d+)\/docs/.exec(await program.until('/docs"'))?.[1])
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const clients = await Promise.all(
      names.map(async (name) => {
        const client = await openRawClient(port)
        await streams.begin(client, `terminal-${name}`)
        return client
      }),
    )
    const pids = childrenOf(program.child.pid)
    program.child.terminal?.write('\x03')
    await refusal(port)
    // The last one goes on, all others come to their end.
    for (const [index, client] of clients.slice(0, -1).entries()) {
      streams.finish(`terminal-${names[index]}`)
      await client.closed
      expect(parseResponse(client.received())?.isComplete).toBe(true)
    }
    const startedAt = performance.now()
    program.child.terminal?.write('\x03')
    expect(await program.child.exited).toBe(130)
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS)
    await clients.at(-1)?.closed
    expect(parseResponse(clients.at(-1)?.received() ?? Buffer.alloc(0))?.isComplete).toBe(false)
    expect(pids.filter(isRunning)).toEqual([])
    await program.stop()
  })
})

test('a supervisor that is killed leaves no orphan: the workers let their streams finish, give the port back and end', async () => {
  const { gateway, clients, pids } = await startWithStreams('orphan')
  gateway.child?.kill('SIGKILL')
  await gateway.child?.exited
  await refusal(gateway.port)
  for (const worker of [1, 2]) {
    await gateway.line((line) => line['worker'] === worker && String(line['msg']).startsWith('the supervisor is gone'))
  }
  expect(pids.filter(isRunning)).toEqual(pids)
  for (const [worker, client] of clients) {
    streams.finish(`orphan-${worker}`)
    await client.closed
    expect(parseResponse(laterBytes(client))?.isComplete).toBe(true)
  }
  await endOf(pids)
  // A process may be gone before its last words have been read.
  for (const one of [1, 2]) await gateway.line(({ msg, worker }) => msg === 'stopped' && worker === one)
})
