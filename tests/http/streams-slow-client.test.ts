import { afterEach, expect, test } from 'bun:test'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { writeResponse } from '../../src/edge/write-response.ts'
import { createDeadlines } from '../../src/timing/deadlines.ts'
import { within } from '../helpers/rig.ts'

const MIB = 1024 * 1024
const WRITE_IDLE_MS = 200

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Serves one body through the edge's writer to a client that has not yet read a byte. */
async function serve(body: (out: ServerResponse) => ReadableStream<Uint8Array>): Promise<Socket> {
  const server = createServer((_message, out) => {
    out.on('error', () => undefined)
    const options = { deadlines: createDeadlines(), writeIdleMs: WRITE_IDLE_MS, isLast: true }
    writeResponse(new Response(body(out)), out, options).catch(() => out.destroy())
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

test('a client that takes little of a chunk at a time is not cut, however long the chunk takes', async () => {
  const chunk = new Uint8Array(24 * MIB)
  const socket = await serve(() => new Blob([chunk]).stream().pipeThrough(joined(chunk.byteLength)))
  const startedAt = performance.now()
  let read = 0
  socket.on('data', (data: Buffer) => {
    read += data.byteLength
    socket.pause()
    setTimeout(() => socket.resume(), WRITE_IDLE_MS / 6)
  })
  socket.resume()
  await within(4000, 'the whole chunk', closed(socket))
  expect(performance.now() - startedAt).toBeGreaterThan(WRITE_IDLE_MS * 3)
  expect(read).toBeGreaterThan(chunk.byteLength)
})

/** Passes a body on as one chunk. */
function joined(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  const whole = new Uint8Array(bytes)
  let at = 0
  return new TransformStream({
    transform(chunk) {
      whole.set(chunk, at)
      at += chunk.byteLength
    },
    flush: (controller) => controller.enqueue(whole),
  })
}

test('a client that takes nothing of what is left of a body that failed is cut', async () => {
  const gone = Promise.withResolvers<void>()
  const socket = await serve((out) => {
    out.once('close', () => gone.resolve())
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise((resolve) => setImmediate(resolve))
          // As soon as the client's side is full, so that a little waits here.
          if (out.writableLength > 0) {
            controller.error(undefined)
          } else controller.enqueue(new Uint8Array(8 * 1024))
        },
      },
      { highWaterMark: 0 },
    )
  })
  await within(WRITE_IDLE_MS + 3000, 'cutting', gone.promise)
  socket.destroy()
})
