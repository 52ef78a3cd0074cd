import { percentile } from '../median.ts'
import type { RequestFigures, Target } from './load.ts'

const HEAD_END = '\r\n\r\n'
const PICKED = /PICKED-(\d{9})/

/**
 * Sends one request after the other on one connection, and takes the time of each, from its first byte sent to its last byte come.
 * wrk adds the samples that a stall kept it from taking, so that its p99 says how much time was lost to stalls; this one says what
 * one request of a hundred feels. Where the body says `PICKED-000100000`, each has a number picked of those below that.
 */
export async function runOneByOne(target: Target, requests: number): Promise<RequestFigures> {
  const nextBytes = requestsOf(target)
  const { hostname, port } = new URL(target.url)
  const tookMs: number[] = []
  let failed = 0
  let began = 0
  let answer: Buffer = Buffer.alloc(0)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(connection, data) {
        answer = answer.byteLength === 0 ? data : Buffer.concat([answer, data])
        const whole = lengthOf(answer)
        if (whole === undefined || answer.byteLength < whole) return
        tookMs.push(performance.now() - began)
        if (answer.toString('latin1', 9, 12) !== '200') failed += 1
        answer = Buffer.alloc(0)
        if (tookMs.length === requests) resolve()
        else send(connection)
      },
      close: () => reject(new Error('the connection was closed')),
      error: (_, cause) => reject(cause),
    },
  })
  const send = (connection: { write(bytes: Uint8Array): number }): void => {
    const bytes = nextBytes()
    began = performance.now()
    // A request of a few KB always has room in an empty buffer.
    if (connection.write(bytes) !== bytes.byteLength) reject(new Error('a request did not go out at once'))
  }
  const startedAt = performance.now()
  send(socket)
  await promise
  const seconds = (performance.now() - startedAt) / 1000
  socket.end()
  return { seconds, requests, failed, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }
}

/** Gives the bytes of each request in turn. */
function requestsOf({ url, headers, body }: Target): () => Uint8Array {
  const { host, pathname, search } = new URL(url)
  const lines = Object.entries({ Host: host, ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const bytes = Buffer.from(
    `POST ${pathname}${search} HTTP/1.1\r\n${head}Content-Length: ${Buffer.byteLength(body)}${HEAD_END}${body}`,
  )
  const picked = PICKED.exec(body)
  if (picked === null) return () => bytes
  const at = bytes.indexOf(picked[0]) + 'PICKED-'.length
  return () => {
    const number = Math.floor(Math.random() * Number(picked[1]))
    bytes.write(String(number).padStart(9, '0'), at, 'latin1')
    return bytes
  }
}

/** How long an answer with a `Content-Length` is, with its head; undefined: the head is not all there. */
function lengthOf(answer: Buffer): number | undefined {
  const headEnd = answer.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.toString('latin1', 0, headEnd))?.[1]
  if (length === undefined) throw new Error('an answer has no Content-Length')
  return headEnd + HEAD_END.length + Number(length)
}
