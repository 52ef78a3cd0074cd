import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { createQueue } from './queue.ts'

/** A request as it arrived at the upstream, byte for byte. */
export interface ReceivedRequest {
  readonly method: string
  /** The request target exactly as on the request line. */
  readonly target: string
  /** Header lines in order, names as sent. */
  readonly headerLines: readonly (readonly [string, string])[]
  /** The first value of a header, whatever its case. */
  readonly header: (name: string) => string | undefined
  /** The body, without chunked framing. Resolves when it is complete; rejects when the connection ends before. */
  readonly body: Promise<Uint8Array>
  /** Resolves with the first bytes behind the head, as they stood on the wire. */
  readonly firstBytes: Promise<string>
}

/** What a script does with a request. */
export interface UpstreamConnection {
  readonly socket: Socket
  /** Writes bytes as they are. */
  readonly write: (bytes: string | Uint8Array) => void
  /** Writes a whole response with a Content-Length. */
  readonly respond: (status: number, headers: Readonly<Record<string, string>>, body?: string | Uint8Array) => void
  readonly json: (value: unknown, status?: number, headers?: Readonly<Record<string, string>>) => void
  /** Starts a chunked response; `chunk` writes one chunk of it, `endChunks` its end. */
  readonly startChunked: (status: number, headers: Readonly<Record<string, string>>) => void
  readonly chunk: (bytes: string | Uint8Array) => void
  readonly endChunks: () => void
  /** Breaks the connection with a TCP reset. */
  readonly reset: () => void
  /** Resolves when the gateway has closed this connection. */
  readonly closed: Promise<void>
}

/** A request that has come to an upstream, with the connection that its answer belongs on. */
export interface Arrival {
  readonly request: ReceivedRequest
  readonly connection: UpstreamConnection
}

/** Decides what happens to one request. */
export type Script = (request: ReceivedRequest, connection: UpstreamConnection) => void | Promise<void>

/** An upstream on a raw socket that does exactly what its script says. */
export interface ScriptedUpstream extends AsyncDisposable {
  /** Without `/v1`. */
  readonly url: string
  readonly port: number
  /** Every request in order of arrival. */
  readonly requests: readonly ReceivedRequest[]
  /** Resolves with the n-th request (from 1) when it has arrived. */
  readonly request: (n: number) => Promise<ReceivedRequest>
  /** Resolves with the next request that arrives; each is given once. For upstreams that the test answers `byHand`. */
  readonly arrival: () => Promise<Arrival>
  /** Connections accepted so far. */
  readonly connectionCount: () => number
  /** Replaces the script. */
  readonly play: (script: Script) => void
  readonly close: () => Promise<void>
}

const encoder = new TextEncoder()

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? encoder.encode(data) : data
}

/** Starts a scripted upstream on a free port of 127.0.0.1. */
export async function startScriptedUpstream(initial: Script): Promise<ScriptedUpstream> {
  let script = initial
  let connections = 0
  const sockets = new Set<Socket>()
  const requests: ReceivedRequest[] = []
  const waiting: { readonly n: number; readonly resolve: (request: ReceivedRequest) => void }[] = []
  const arrivals = createQueue<Arrival>()

  const server: Server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    const closed = Promise.withResolvers<void>()
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      closed.resolve()
    })
    readRequests(socket, (request) => {
      requests.push(request)
      for (const one of waiting.filter(({ n }) => n === requests.length)) one.resolve(request)
      const connection = connectionOf(socket, closed.promise)
      arrivals.add({ request, connection })
      Promise.resolve(script(request, connection)).catch(() => socket.destroy())
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    request: (n) => {
      const had = requests[n - 1]
      if (had !== undefined) return Promise.resolve(had)
      return new Promise((resolve) => void waiting.push({ n, resolve }))
    },
    arrival: arrivals.next,
    connectionCount: () => connections,
    play(next) {
      script = next
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function connectionOf(socket: Socket, closed: Promise<void>): UpstreamConnection {
  const head = (status: number, headers: Readonly<Record<string, string>>): string =>
    `HTTP/1.1 ${status} Scripted\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}`
  const respond: UpstreamConnection['respond'] = (status, headers, body = '') => {
    const bytes = bytesOf(body)
    socket.write(`${head(status, headers)}content-length: ${bytes.byteLength}\r\n\r\n`)
    socket.write(bytes)
  }
  return {
    socket,
    closed,
    respond,
    write: (bytes) => void socket.write(bytes),
    json: (value, status = 200, headers = {}) =>
      respond(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value)),
    startChunked: (status, headers) => void socket.write(`${head(status, headers)}transfer-encoding: chunked\r\n\r\n`),
    chunk(data) {
      const bytes = bytesOf(data)
      socket.write(
        Buffer.concat([encoder.encode(`${bytes.byteLength.toString(16)}\r\n`), bytes, encoder.encode('\r\n')]),
      )
    },
    endChunks: () => void socket.write('0\r\n\r\n'),
    reset: () => void socket.resetAndDestroy(),
  }
}

/** Cuts the bytes of a connection into requests; calls back at each head, before its body has come. */
function readRequests(socket: Socket, onRequest: (request: ReceivedRequest) => void): void {
  let pending: Buffer = Buffer.alloc(0)
  let body: BodyReader | undefined

  const advance = (): void => {
    for (;;) {
      if (body !== undefined) {
        const rest = body.feed(pending)
        pending = Buffer.alloc(0)
        if (rest === undefined) return
        pending = rest
        body = undefined
      }
      const end = pending.indexOf('\r\n\r\n')
      if (end === -1) return
      const lines = pending.subarray(0, end).toString('latin1').split('\r\n')
      pending = pending.subarray(end + 4)
      const [method = '', target = ''] = lines[0]?.split(' ') ?? []
      const headerLines = lines.slice(1).map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
      })
      const header = (name: string): string | undefined =>
        headerLines.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
      body = createBodyReader(header('transfer-encoding') === 'chunked', Number(header('content-length') ?? 0))
      body.done.catch(() => undefined)
      onRequest({ method, target, headerLines, header, body: body.done, firstBytes: body.firstBytes })
    }
  }

  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    advance()
  })
  socket.on('close', () => body?.fail())
}

interface BodyReader {
  /** Takes bytes; gives those behind the body once it is complete. */
  readonly feed: (bytes: Buffer) => Buffer | undefined
  readonly fail: () => void
  readonly done: Promise<Uint8Array>
  readonly firstBytes: Promise<string>
}

function createBodyReader(isChunked: boolean, length: number): BodyReader {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const first = Promise.withResolvers<string>()
  const parts: Buffer[] = []
  let missing = length
  let pending: Buffer = Buffer.alloc(0)
  const finish = (rest: Buffer): Buffer => {
    resolve(new Uint8Array(Buffer.concat(parts)))
    return rest
  }
  const feedChunked = (): Buffer | undefined => {
    for (;;) {
      const lineEnd = pending.indexOf('\r\n')
      if (lineEnd === -1) return undefined
      const size = Number.parseInt(pending.subarray(0, lineEnd).toString('latin1'), 16)
      if (pending.byteLength < lineEnd + 2 + size + 2) return undefined
      if (size === 0) return finish(pending.subarray(lineEnd + 4))
      parts.push(pending.subarray(lineEnd + 2, lineEnd + 2 + size))
      pending = pending.subarray(lineEnd + 2 + size + 2)
    }
  }
  return {
    done: promise,
    firstBytes: first.promise,
    fail: () => reject(new Error('The connection ended before the body was complete.')),
    feed(bytes) {
      if (bytes.byteLength > 0) first.resolve(bytes.toString('latin1'))
      if (isChunked) {
        pending = Buffer.concat([pending, bytes])
        return feedChunked()
      }
      const part = bytes.subarray(0, missing)
      parts.push(part)
      missing -= part.byteLength
      return missing === 0 ? finish(bytes.subarray(part.byteLength)) : undefined
    },
  }
}
