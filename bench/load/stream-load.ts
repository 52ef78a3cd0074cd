/**
 * Keeps a number of streams open, each followed by the next on the same connection, and prints what came of them as JSON. A process
 * of its own on raw sockets, so that it takes as little as it can of the cores that it shares with the gateway.
 * `bun bench/load/stream-load.ts` with a `StreamLoad` as JSON on the standard input.
 */
import type { Socket } from 'bun'
import { percentile } from '../median.ts'
import type { StreamFigures, Target } from './load.ts'
import { StreamBody } from './stream-body.ts'

/** What the load is to be. */
export interface StreamLoad {
  readonly target: Target
  readonly connections: number
  readonly seconds: number
  /** The first starts are spread over this time; chunks that come within it are left out of the chunks per second. */
  readonly rampMs: number
  /** Content events of a complete stream, without the end mark. */
  readonly events: number
}

interface Stream {
  sentAt: number
  head: Buffer | undefined
  body: StreamBody | undefined
}

const HEAD_END = '\r\n\r\n'
// Streams that are still open this long after the load's end count as incomplete.
const STALL_MS = 30_000

const load = (await Bun.stdin.json()) as StreamLoad
const url = new URL(load.target.url)
const request = Buffer.from(
  [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(load.target.headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(load.target.body)}`,
    '',
    load.target.body,
  ].join('\r\n'),
)

const begin = performance.now()
const countedFrom = begin + load.rampMs
const endAt = countedFrom + load.seconds * 1000
const firstByteMs: number[] = []
const open = new Set<Socket<Stream>>()
const totals = { streams: 0, incomplete: 0, chunks: 0, chunksInAll: 0, openMax: 0, lastChunkAt: countedFrom }

function sendRequest(socket: Socket<Stream>): void {
  socket.data = { sentAt: performance.now(), head: undefined, body: undefined }
  open.add(socket)
  totals.openMax = Math.max(totals.openMax, open.size)
  socket.write(request)
}

/** Notes a stream that is over, however it went. */
function note(socket: Socket<Stream>, isComplete: boolean): void {
  open.delete(socket)
  totals.streams++
  if (!isComplete) totals.incomplete++
}

function takeHead(socket: Socket<Stream>, bytes: Buffer): Buffer | undefined {
  const stream = socket.data
  const head = stream.head === undefined ? bytes : Buffer.concat([stream.head, bytes])
  const end = head.indexOf(HEAD_END)
  stream.head = head
  if (end < 0) return undefined
  const text = head.toString('latin1', 0, end)
  if (!text.startsWith('HTTP/1.1 200')) return undefined
  stream.body = new StreamBody(text)
  return head.subarray(end + HEAD_END.length)
}

function take(socket: Socket<Stream>, bytes: Buffer): void {
  const stream = socket.data
  const data = stream.body === undefined ? takeHead(socket, bytes) : bytes
  if (data === undefined) {
    if (stream.head?.includes(HEAD_END)) socket.end()
    return
  }
  const { body } = stream
  if (body === undefined || data.length === 0) return
  const before = body.events
  body.take(data)
  const now = performance.now()
  if (before === 0 && body.events > 0) firstByteMs.push(now - stream.sentAt)
  totals.chunksInAll += body.events - before
  if (now >= countedFrom && now <= endAt) {
    totals.chunks += body.events - before
    totals.lastChunkAt = now
  }
  if (!body.isEnded) return
  note(socket, body.isComplete && body.events >= load.events + 1)
  if (now < endAt) sendRequest(socket)
  else socket.end()
}

/** A body without a length ends with its connection. */
function takeClose(socket: Socket<Stream>): void {
  if (!open.has(socket)) return
  const { body } = socket.data
  note(socket, body?.isComplete === true && body.events >= load.events + 1)
  if (performance.now() < endAt) connect()
}

function connect(): void {
  Bun.connect<Stream>({
    hostname: url.hostname,
    port: Number(url.port),
    data: { sentAt: 0, head: undefined, body: undefined },
    socket: { open: sendRequest, data: take, close: takeClose, error: takeClose },
  }).catch(() => {
    totals.streams++
    totals.incomplete++
  })
}

for (let index = 0; index < load.connections; index++) {
  setTimeout(connect, (load.rampMs * index) / load.connections)
}
while (performance.now() < endAt || (open.size > 0 && performance.now() < endAt + STALL_MS)) await Bun.sleep(20)
for (const socket of open) note(socket, false)

const figures: StreamFigures = {
  seconds: Math.max(0.001, (totals.lastChunkAt - countedFrom) / 1000),
  streams: totals.streams,
  incomplete: totals.incomplete,
  chunks: totals.chunks,
  chunksInAll: totals.chunksInAll,
  openMax: totals.openMax,
  firstByteP50Ms: percentile(firstByteMs, 0.5),
  firstByteP99Ms: percentile(firstByteMs, 0.99),
}
process.stdout.write(JSON.stringify(figures))
process.exit(0)
