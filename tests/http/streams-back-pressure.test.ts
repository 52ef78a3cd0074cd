import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { flood, settled } from '../helpers/flood.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { expectHeldBack } from '../helpers/held-back.ts'
import { CAN_READ_MEMORY, rssMib } from '../helpers/process-memory.ts'
import { CHAT_STREAM } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const MIB = 1024 * 1024
/** More than any kernel's buffers of four sockets take. */
const TOTAL_BYTES = 96 * MIB
const GROWTH_MIB_MAX = 64
const WRITE_IDLE_MS = 600
const STREAM_IDLE_MS = 1000

let gateway: TestGateway<'openai'>
let impatient: TestGateway<'openai'>
let watchful: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand }, command: gatewayCommand() })
  impatient = await startGateway({
    upstreams: { openai: byHand },
    env: { WRITE_IDLE_TIMEOUT_MS: String(WRITE_IDLE_MS) },
  })
  watchful = await startGateway({
    upstreams: { openai: byHand },
    env: { STREAM_IDLE_TIMEOUT_MS: String(STREAM_IDLE_MS) },
  })
})

afterAll(async () => {
  await gateway.stop()
  await impatient.stop()
  await watchful.stop()
})

const portsOf = (gateway: TestGateway<'openai'>): readonly number[] => [gateway.port, gateway.upstreams.openai.port]

/** Asks for a stream and reads nothing until `readAll`. */
async function askAndStall(
  port: number,
): Promise<{ readonly socket: Socket; readonly readAll: () => Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  await new Promise<void>((resolve) => void socket.once('connect', () => resolve()))
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\nConnection: close\r\nContent-Length: ${CHAT_STREAM.length}\r\n\r\n`
  socket.write(head + CHAT_STREAM)
  return { socket, readAll: () => hashOfBody(socket) }
}

/** The SHA-256 of a chunked body, without its framing; fails where it does not come to its end. */
function hashOfBody(socket: Socket): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  let pending: Buffer = Buffer.alloc(0)
  let isHead = true
  let left = 0
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.on('data', (data: Buffer) => {
    pending = pending.byteLength === 0 ? data : Buffer.concat([pending, data])
    for (;;) {
      if (left > 0) {
        const part = pending.subarray(0, left)
        hasher.update(part)
        left -= part.byteLength
        pending = pending.subarray(part.byteLength)
        if (left > 0) return
      }
      const mark = isHead ? '\r\n\r\n' : '\r\n'
      const from = isHead ? 0 : pending.subarray(0, 2).toString() === '\r\n' ? 2 : 0
      const end = pending.indexOf(mark, from)
      if (end === -1) return
      const line = pending.subarray(from, end).toString('latin1')
      pending = pending.subarray(end + mark.length)
      if (isHead) isHead = false
      else {
        left = Number.parseInt(line, 16)
        if (left === 0) return resolve(hasher.digest('hex'))
      }
    }
  })
  socket.on('close', () => reject(new Error('the body broke off')))
  socket.resume()
  return promise
}

test('back-pressure holds: of a flood at a client that reads nothing, little is taken; then all of it arrives', async () => {
  const pid = gateway.child?.pid ?? 0
  const { readAll, socket } = await askAndStall(gateway.port)
  const { connection } = await gateway.upstreams.openai.arrival()
  const before = CAN_READ_MEMORY ? rssMib(pid) : 0
  connection.startChunked(200, SSE)
  const poured = flood(connection, TOTAL_BYTES)
  const accepted = await settled(poured.accepted, 200)
  expectHeldBack(accepted, portsOf(gateway))
  if (CAN_READ_MEMORY) expect(rssMib(pid) - before).toBeLessThan(GROWTH_MIB_MAX)
  const hash = readAll()
  await poured.done
  expect(await hash).toBe(poured.hash())
  if (CAN_READ_MEMORY) expect(rssMib(pid) - before).toBeLessThan(GROWTH_MIB_MAX)
  socket.destroy()
}, 60_000)

test('back-pressure holds for an upload too: of a flood at an upstream that reads nothing, little is taken', async () => {
  const pid = gateway.child?.pid ?? 0
  const call = await gateway.send({
    target: '/v1/files',
    body: null,
    headers: { Authorization: 'Bearer k', 'Content-Type': 'application/octet-stream', 'Transfer-Encoding': 'chunked' },
  })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.socket.pause()
  const before = CAN_READ_MEMORY ? rssMib(pid) : 0
  const { socket, write } = call.client
  const piece = new Uint8Array(256 * 1024)
  const frame = (): void => write(Buffer.concat([Buffer.from('40000\r\n'), piece, Buffer.from('\r\n')]))
  const pour = (): void => {
    while (!socket.writableNeedDrain && socket.bytesWritten < TOTAL_BYTES) frame()
  }
  socket.on('drain', pour)
  pour()
  const accepted = await settled(() => socket.bytesWritten - socket.writableLength, 200)
  expectHeldBack(accepted, portsOf(gateway))
  if (CAN_READ_MEMORY) expect(rssMib(pid) - before).toBeLessThan(GROWTH_MIB_MAX)
  connection.reset()
  call.client.leave()
}, 60_000)

test('a client that takes nothing for WRITE_IDLE_TIMEOUT_MS is cut, and upstream with it', async () => {
  const { socket } = await askAndStall(impatient.port)
  const { connection } = await impatient.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  flood(connection, TOTAL_BYTES)
  await within(WRITE_IDLE_MS + AT_ONCE_MS, 'cutting', connection.closed)
  expect(await impatient.exchange(1)).toMatchObject({ status: 499, outcome: 'cancelled' })
  socket.destroy()
})

test('a client that takes little, but goes on, is not cut', async () => {
  const { socket } = await askAndStall(impatient.port)
  const { connection } = await impatient.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  const big = new Uint8Array(64 * MIB)
  connection.chunk(big)
  connection.endChunks()
  const slowUntil = performance.now() + 4 * WRITE_IDLE_MS
  let read = 0
  socket.on('data', (data: Buffer) => {
    read += data.byteLength
    socket.pause()
    setTimeout(() => socket.resume(), performance.now() < slowUntil ? WRITE_IDLE_MS / 6 : 0)
  })
  socket.resume()
  await within(AT_ONCE_MS, 'the whole answer', new Promise((resolve) => void socket.once('close', resolve)))
  expect(performance.now()).toBeGreaterThan(slowUntil)
  expect(read).toBeGreaterThan(big.byteLength)
}, 60_000)

test('a failed stream whose client takes nothing of what is left is cut too', async () => {
  const { socket } = await askAndStall(impatient.port)
  const { connection } = await impatient.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  const poured = flood(connection, 32 * MIB)
  await settled(poured.accepted, 50)
  connection.reset()
  const closed = new Promise((resolve) => void socket.once('close', resolve))
  await Bun.sleep(WRITE_IDLE_MS * 2)
  socket.resume()
  await within(AT_ONCE_MS, 'the break', closed)
})

test('STREAM_IDLE_TIMEOUT_MS: a client that reads slowly is never taken for a silent model', async () => {
  const { readAll, socket } = await askAndStall(watchful.port)
  const { connection } = await watchful.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  const poured = flood(connection, TOTAL_BYTES)
  await Bun.sleep(STREAM_IDLE_MS * 2)
  expectHeldBack(poured.accepted(), portsOf(watchful))
  const hash = await readAll()
  expect(hash).toBe(poured.hash())
  socket.destroy()
})
