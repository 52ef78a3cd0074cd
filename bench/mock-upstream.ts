/**
 * A simulated upstream that costs little: HTTP/1.1 on raw sockets, every answer made beforehand. What it answers is chosen by the
 * model in the body (`mock-answers.ts`). Run as `bun bench/mock-upstream.ts <port>`; it understands what gateways send, not all
 * of HTTP.
 */
import type { Socket } from 'bun'
import { ANSWER_BODY, LIVE_GAP_MS, MODELS, MODELS_BODY, STREAM_END, STREAM_EVENTS } from './mock-answers.ts'

interface Exchange {
  /** What has come of the request's head, or of a body that has no length in front. */
  pending: Buffer | undefined
  /** The start of a sized body: enough to find the model in it. */
  opening: Buffer | undefined
  bodyBytesLeft: number
  backlog: Buffer[]
}

type Connection = Socket<Exchange>

// A prompt larger than this is never a stream's, so its model need not be looked for.
const OPENING_BYTES_MAX = 4096
const HEAD_END = Buffer.from('\r\n\r\n')
const BODY_END = Buffer.from('0\r\n\r\n')

function answer(body: string): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.from(head + body)
}

function httpChunk(data: string): Buffer {
  return Buffer.from(`${data.length.toString(16)}\r\n${data}\r\n`)
}

const JSON_ANSWER = answer(ANSWER_BODY)
const MODELS_ANSWER = answer(MODELS_BODY)
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n' +
    'x-request-id: req_bench\r\nTransfer-Encoding: chunked\r\n\r\n',
)
// The last event, the end mark and the end of the body leave together, as an upstream's last write does.
const CHUNKS = STREAM_EVENTS.map(httpChunk)
CHUNKS.push(Buffer.concat([httpChunk(STREAM_END), Buffer.from('0\r\n\r\n')]))

function send(socket: Connection, bytes: Buffer): void {
  const { backlog } = socket.data
  if (backlog.length > 0) {
    backlog.push(bytes)
    return
  }
  const written = Math.max(0, socket.write(bytes))
  if (written < bytes.length) backlog.push(bytes.subarray(written))
}

function flush(socket: Connection): void {
  const { backlog } = socket.data
  for (let next = backlog[0]; next !== undefined; next = backlog[0]) {
    const written = Math.max(0, socket.write(next))
    if (written < next.length) {
      backlog[0] = next.subarray(written)
      return
    }
    backlog.shift()
  }
}

/** Streams that are sent flat out: one chunk each in every turn of the event loop, so that chunks stay chunks. */
const flatStreams = new Map<Connection, number>()

function pumpFlatStreams(): void {
  for (const [socket, index] of flatStreams) {
    const chunk = CHUNKS[index]
    if (chunk !== undefined) send(socket, chunk)
    if (index + 1 < CHUNKS.length) flatStreams.set(socket, index + 1)
    else flatStreams.delete(socket)
  }
  if (flatStreams.size > 0) setImmediate(pumpFlatStreams)
}

function startFlatStream(socket: Connection): void {
  send(socket, STREAM_HEAD)
  if (flatStreams.size === 0) setImmediate(pumpFlatStreams)
  flatStreams.set(socket, 0)
}

const liveTimers = new Map<Connection, Timer>()

function endLiveStream(socket: Connection): void {
  clearInterval(liveTimers.get(socket))
  liveTimers.delete(socket)
}

function startLiveStream(socket: Connection): void {
  let index = 0
  const sendNext = () => {
    const chunk = CHUNKS[index++]
    if (chunk !== undefined) send(socket, chunk)
    if (index >= CHUNKS.length) endLiveStream(socket)
  }
  send(socket, STREAM_HEAD)
  liveTimers.set(socket, setInterval(sendNext, LIVE_GAP_MS))
  sendNext()
}

function answerTo(socket: Connection, opening: Buffer | undefined): void {
  if (opening?.includes(MODELS.flat)) startFlatStream(socket)
  else if (opening?.includes(MODELS.live)) startLiveStream(socket)
  else if (opening?.includes(MODELS.idle)) {
    send(socket, STREAM_HEAD)
    send(socket, CHUNKS[0] as Buffer)
  } else send(socket, JSON_ANSWER)
}

/** Takes the head, and what came of the body with it. */
function takeRequest(socket: Connection, bytes: Buffer): void {
  const exchange = socket.data
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) {
    exchange.pending = bytes
    return
  }
  const head = bytes.toString('latin1', 0, headEnd)
  const bodyStart = headEnd + HEAD_END.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length !== null) {
    const bodyBytes = Number(length[1])
    const came = bytes.length - bodyStart
    exchange.pending = undefined
    exchange.opening = bodyBytes <= OPENING_BYTES_MAX ? bytes.subarray(bodyStart) : undefined
    exchange.bodyBytesLeft = bodyBytes - came
    if (exchange.bodyBytesLeft <= 0) answerTo(socket, exchange.opening)
  } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    exchange.pending = bytes
    // Our bodies end with `}`, so only the last chunk can look like this.
    if (!bytes.subarray(-BODY_END.length).equals(BODY_END)) return
    exchange.pending = undefined
    answerTo(socket, bytes.length > 2 * OPENING_BYTES_MAX ? undefined : bytes)
  } else {
    exchange.pending = undefined
    send(socket, MODELS_ANSWER)
  }
}

function take(socket: Connection, bytes: Buffer): void {
  const exchange = socket.data
  if (exchange.bodyBytesLeft > 0) {
    exchange.bodyBytesLeft -= bytes.length
    if (exchange.opening !== undefined) exchange.opening = Buffer.concat([exchange.opening, bytes])
    if (exchange.bodyBytesLeft <= 0) answerTo(socket, exchange.opening)
    return
  }
  takeRequest(socket, exchange.pending === undefined ? bytes : Buffer.concat([exchange.pending, bytes]))
}

function forget(socket: Connection): void {
  flatStreams.delete(socket)
  endLiveStream(socket)
}

Bun.listen<Exchange>({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  socket: {
    open(socket) {
      socket.setNoDelay(true)
      socket.data = { pending: undefined, opening: undefined, bodyBytesLeft: 0, backlog: [] }
    },
    data: take,
    drain: flush,
    close: forget,
    error: forget,
  },
})
