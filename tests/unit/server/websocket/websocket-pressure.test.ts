import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { MemoryBudget } from '../../../../src/exchange/memory-budget.ts'
import { expectHeldBack } from '../../../helpers/held-back.ts'
import { perTest } from '../../../helpers/per-test.ts'
import type { SocketPeer } from '../../../helpers/websocket-peer.ts'
import { openLink, startRelay } from '../../../helpers/websocket-relay.ts'

const MIB = 1024 * 1024
/** More than any kernel's buffers of four sockets take. */
const FLOOD_BYTES = 96 * MIB
const start = perTest(startRelay)

/** Writes a flood as fast as it is taken, and ends. `written` counts what the socket has accepted. */
function flood(socket: Socket) {
  const hash = createHash('sha256')
  const finished = Promise.withResolvers<void>()
  const progress = { written: 0, lastAt: performance.now(), hash, finished: finished.promise }
  const pump = (): void => {
    while (progress.written < FLOOD_BYTES) {
      const chunk = Buffer.alloc(256 * 1024, progress.written / 4096)
      hash.update(chunk)
      progress.written += chunk.byteLength
      progress.lastAt = performance.now()
      if (!socket.write(chunk)) {
        socket.once('drain', pump)
        return
      }
    }
    socket.end(() => finished.resolve())
  }
  pump()
  return progress
}

/** Resolves when a flood has not moved for a while: everything between the two ends is full. */
async function stalled(progress: { readonly lastAt: number }): Promise<void> {
  while (performance.now() - progress.lastAt < 250) await Bun.sleep(25)
}

/** Takes everything off a socket that was paused. */
async function hashAll({ socket, ended }: SocketPeer): Promise<{ readonly bytes: number; readonly digest: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    hash.update(chunk)
  })
  socket.resume()
  await ended
  return { bytes, digest: hash.digest('hex') }
}

test('an upstream that floods a client which reads nothing is held back, and all of it arrives later', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  client.socket.pause()
  const progress = flood(upstream.socket)
  await stalled(progress)
  expectHeldBack(progress.written, [server.port, Number(bare.url.port)])
  const received = await hashAll(client)
  expect(received).toEqual({ bytes: FLOOD_BYTES, digest: progress.hash.digest('hex') })
  client.socket.end()
  expect(await outcome).toMatchObject({ kind: 'complete', bytesOut: FLOOD_BYTES })
})

test('a client that floods an upstream which reads nothing is held back, and all of it arrives later', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.pause()
  const progress = flood(client.socket)
  await stalled(progress)
  expectHeldBack(progress.written, [server.port, Number(bare.url.port)])
  const received = await hashAll(upstream)
  expect(received).toEqual({ bytes: FLOOD_BYTES, digest: progress.hash.digest('hex') })
  upstream.socket.end()
  expect(await outcome).toMatchObject({ kind: 'complete', bytesIn: FLOOD_BYTES })
})

test('one direction that is held back does not hold the other', async () => {
  const { server, bare } = await start()
  const { client, upstream } = await openLink(server, bare)
  client.socket.pause()
  await stalled(flood(upstream.socket))
  client.write('still heard')
  expect((await upstream.read(11)).toString()).toBe('still heard')
})

test('a client that takes nothing for the idle time is cut, and upstream with it', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 5_000, idleMs: 200 } })
  const { client, upstream, outcome } = await openLink(server, bare)
  client.socket.pause()
  flood(upstream.socket)
  await upstream.closed
  expect(await outcome).toMatchObject({ kind: 'cancelled', cause: { message: 'the client took nothing for 200 ms' } })
})

test('an upstream that takes nothing for the idle time is cut, and the client with it', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 5_000, idleMs: 200 } })
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.pause()
  flood(client.socket)
  await client.closed
  expect(await outcome).toMatchObject({ kind: 'failed', cause: { message: 'the upstream took nothing for 200 ms' } })
})

test('what waits for an upstream that takes nothing counts until it has taken it', async () => {
  const memory = new MemoryBudget(8 * MIB)
  const { server, bare } = await start({ memory })
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.pause()
  await stalled(flood(client.socket))
  expect(memory.usedBytes).toBeGreaterThan(0)
  upstream.socket.resume()
  client.socket.end()
  await upstream.ended
  upstream.socket.end()
  expect(await outcome).toMatchObject({ kind: 'complete' })
  expect(memory.usedBytes).toBe(0)
})

test('where there is no memory for what waits for an upstream, both ends are cut', async () => {
  const memory = new MemoryBudget(1024)
  const { server, bare } = await start({ memory })
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.pause()
  flood(client.socket)
  await client.closed
  expect(await outcome).toMatchObject({ kind: 'failed', cause: { kind: 'memory_full' } })
  expect(memory.usedBytes).toBe(0)
})

test('a client that takes a little within each idle time is not cut', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 5_000, idleMs: 400 } })
  const { client, upstream, outcome } = await openLink(server, bare)
  const bytes = 12 * MIB
  let received = 0
  client.socket.removeAllListeners('data')
  client.socket.on('data', (chunk: Buffer) => {
    received += chunk.byteLength
    client.socket.pause()
    setTimeout(() => client.socket.resume(), 5)
  })
  upstream.socket.end(Buffer.alloc(bytes, 1))
  await client.ended
  client.socket.end()
  expect(received).toBe(bytes)
  expect(await outcome).toMatchObject({ kind: 'complete', bytesOut: bytes })
})
