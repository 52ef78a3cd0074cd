import { connect, type Socket } from 'node:net'

/** A response as it stood on the wire. */
export interface RawResponse {
  readonly status: number
  /** The head's lines behind the status line, as `name: value` with lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  /** Everything behind the head, with its chunked framing. */
  readonly raw: Buffer
  /** The body, without chunked framing. */
  readonly body: Buffer
  /** Whether the body came to its proper end: its length, or its last chunk. */
  readonly isComplete: boolean
  readonly text: () => string
  readonly json: () => unknown
}

/** A bare connection to the gateway. */
export interface RawClient {
  readonly socket: Socket
  readonly write: (bytes: string | Uint8Array) => void
  /** All bytes so far. */
  readonly received: () => Buffer
  /** Resolves when what has been received fits; rejects if the connection closes before. */
  readonly until: (fits: (received: Buffer) => boolean) => Promise<Buffer>
  /** Resolves with the first response once its body is complete or the connection is closed. */
  readonly response: () => Promise<RawResponse>
  readonly closed: Promise<void>
  /** Leaves at once. */
  readonly leave: () => void
}

/** Connects to a port of 127.0.0.1. */
export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  let received = Buffer.alloc(0)
  const watchers = new Set<() => void>()
  const closed = Promise.withResolvers<void>()
  let isClosed = false
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (const watch of watchers) watch()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
    closed.resolve()
    for (const watch of watchers) watch()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
  })

  const when = <T>(read: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const value = read()
        if (value !== undefined) {
          watchers.delete(watch)
          resolve(value)
        } else if (isClosed) {
          watchers.delete(watch)
          reject(new Error(`The connection closed after ${JSON.stringify(received.toString('latin1').slice(0, 300))}`))
        }
      }
      watchers.add(watch)
      watch()
    })

  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    received: () => received,
    until: (fits) => when(() => (fits(received) ? received : undefined)),
    response: () =>
      when(() => {
        const parsed = parseResponse(received)
        return parsed !== undefined && (parsed.isComplete || isClosed) ? parsed : undefined
      }),
    closed: closed.promise,
    leave: () => void socket.destroy(),
  }
}

/** Sends bytes on a fresh connection and gives the response. */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawResponse> {
  const client = await openRawClient(port)
  client.write(bytes)
  try {
    return await client.response()
  } finally {
    client.leave()
  }
}

/**
 * Resolves when the requests that have been written to connections to a port have begun: connections are accepted, and requests read, in
 * the order in which they came, so that the answer on a last connection comes after their beginning.
 */
export async function haveBegun(port: number): Promise<void> {
  const { status } = await sendRaw(port, getText('/health'))
  if (status !== 200) throw new Error(`/health is answered ${status}`)
}

/** Writes a request with a JSON body as a plain client would. */
export function postText(target: string, body: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Type': 'application/json', ...headers })
  const length = new TextEncoder().encode(body).byteLength
  return `POST ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}Content-Length: ${length}\r\n\r\n${body}`
}

/** Writes a request without a body. */
export function getText(target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): string {
  const lines = Object.entries({ Host: 'localhost', ...headers })
  return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

/** Reads the first response out of bytes; undefined: its head is not complete. Interim responses (1xx) are skipped. */
export function parseResponse(bytes: Buffer): RawResponse | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  if (status >= 100 && status < 200 && status !== 101) return parseResponse(bytes.subarray(end + 4))
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  const raw = bytes.subarray(end + 4)
  const length = headers.get('content-length')
  const isChunked = headers.get('transfer-encoding') === 'chunked'
  const { body, isComplete } = isChunked
    ? unchunk(raw)
    : {
        body: length === undefined ? raw : raw.subarray(0, Number(length)),
        isComplete: length !== undefined ? raw.byteLength >= Number(length) : status === 204 || status === 304,
      }
  return {
    status,
    headers,
    raw,
    body,
    isComplete,
    text: () => body.toString('utf8'),
    json: () => JSON.parse(body.toString('utf8')) as unknown,
  }
}

function unchunk(raw: Buffer): { body: Buffer; isComplete: boolean } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at)
    if (lineEnd === -1) return { body: Buffer.concat(parts), isComplete: false }
    const size = Number.parseInt(raw.subarray(at, lineEnd).toString('latin1'), 16)
    if (size === 0) return { body: Buffer.concat(parts), isComplete: true }
    parts.push(raw.subarray(lineEnd + 2, Math.min(lineEnd + 2 + size, raw.byteLength)))
    if (raw.byteLength < lineEnd + 2 + size + 2) return { body: Buffer.concat(parts), isComplete: false }
    at = lineEnd + 2 + size + 2
  }
}
