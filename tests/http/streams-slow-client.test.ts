import { afterEach, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { type HttpServer, listenHttp1 } from '../../src/server/http1/listen.ts'
import { createDeadlines } from '../../src/timing/deadlines.ts'
import { settled } from '../helpers/flood.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const MIB = 1024 * 1024
const WRITE_IDLE_MS = 600

const servers: HttpServer[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    void server.close()
    server.closeAll()
  }
})

/** Serves one body through the edge to a client that has not yet read a byte. */
function serve(body: (abort: AbortSignal) => ReadableStream<Uint8Array>): Socket {
  const server = listenHttp1(
    { hostname: '127.0.0.1', port: 0 },
    {
      deadlines: createDeadlines(),
      uploadIdleMs: 0,
      writeIdleMs: WRITE_IDLE_MS,
      serve: async ({ abort }) => new Response(body(abort.signal), { headers: { connection: 'close' } }),
      refuse: () => new Response(),
      onDefect: () => undefined,
    },
  )
  servers.push(server)
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

test('a client that takes little of a chunk at a time is not cut, however long the chunk takes', async () => {
  const chunk = new Uint8Array(24 * MIB)
  const socket = serve(() => new Blob([chunk]).stream().pipeThrough(joined(chunk.byteLength)))
  const slowUntil = performance.now() + WRITE_IDLE_MS * 4
  let read = 0
  socket.on('data', (data: Buffer) => {
    read += data.byteLength
    socket.pause()
    setTimeout(() => socket.resume(), performance.now() < slowUntil ? WRITE_IDLE_MS / 6 : 0)
  })
  socket.resume()
  await within(AT_ONCE_MS, 'the whole chunk', closed(socket))
  expect(performance.now()).toBeGreaterThan(slowUntil)
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
  let sent = 0
  let fail: () => void = () => undefined
  const socket = serve((abort) => {
    abort.addEventListener('abort', () => gone.resolve())
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          fail = () => controller.error(undefined)
        },
        pull(controller) {
          sent += MIB
          controller.enqueue(new Uint8Array(MIB))
        },
      },
      { highWaterMark: 0 },
    )
  })
  // Until the client's side is full, so that some of it waits here.
  await settled(() => sent, 300)
  expect(sent).toBeGreaterThan(0)
  fail()
  await within(WRITE_IDLE_MS + AT_ONCE_MS, 'cutting', gone.promise)
  socket.destroy()
})
