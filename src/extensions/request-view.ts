import type { BodilessRequest } from '../exchange/arrival.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { formatOf } from '../formats/bytes/decode-body.ts'
import { removeCredentials } from '../formats/http/credential-headers.ts'
import type { BodyMemory } from './body-memory.ts'
import { decodeWithLimit } from './decode-with-limit.ts'
import { type ChunkReader, readInSlices } from './read-stream.ts'
import type { ReplayableBody } from './replayable-body.ts'
import { watchHeaders } from './watched-headers.ts'
import type { PausableClock } from './work-clock.ts'

/** The headers that describe how a body came. */
export const BODY_HEADERS = ['content-length', 'transfer-encoding', 'content-encoding'] as const

/** A body of no more bytes is copied for an extension, whether it reads it or not. */
const SHORT_BYTES_MAX = 16 * 1024

/** A request between two extensions. */
export interface RequestParts {
  /** Its method, URL and headers. */
  readonly head: BodilessRequest
  readonly target: string
  readonly body: ReplayableBody | undefined
  /** Whether it is the caller's own, unchanged. */
  readonly isOriginal: boolean
}

/** The state that all requests of one run share. */
export interface RequestScope {
  readonly exchange: Pick<Exchange, 'request' | 'requestTarget' | 'body' | 'abort' | 'atEnd'>
  /** The exchange's request target without a token of this server's. */
  readonly shownTarget: string
  readonly limits: ReadLimits
  /** Stands still while the caller sends its body. */
  readonly clock: PausableClock
  readonly memory: BodyMemory
}

/** `RequestInit` of the standard; the runtime's types lack these members. */
interface BodyInit {
  body?: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>
  duplex?: 'half'
}

/**
 * Makes the request that an extension sees: without the caller's credentials, and with a body that is decoded and is read only when the
 * extension asks for it.
 */
export function viewRequest({ head, target, body, isOriginal }: RequestParts, scope: RequestScope): Request {
  const { method } = head
  const init: RequestInit & BodyInit = { method, headers: head.headers, signal: scope.exchange.abort.signal }
  let isEncoded = false
  if (body !== undefined && method !== 'GET' && method !== 'HEAD') {
    const format = formatOf(head.headers.get('content-encoding'))
    isEncoded = format !== undefined
    init.body = shortBody(body, format) ?? viewBody(body, format, scope)
    if (init.body instanceof ReadableStream) init.duplex = 'half'
  }
  // The query may hold a token of this server's, which no extension may see.
  const isHidden = isOriginal && target !== scope.shownTarget
  const url = isHidden ? new URL(head.url).origin + scope.shownTarget : head.url
  const request = new Request(url, init)
  const { headers } = request
  // No extension sees the caller's credentials. `ChainRequest` puts them back when the request goes on.
  removeCredentials(headers)
  if (isEncoded) for (const name of BODY_HEADERS) headers.delete(name)
  watchHeaders(headers)
  return init.body instanceof ReadableStream ? readInSlices(request) : request
}

/** A short body that is there costs less as bytes, which are copied, than as a stream. */
function shortBody(body: ReplayableBody, format: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (format !== undefined || !body.isComplete) return undefined
  const whole = body.whole()
  return whole instanceof Uint8Array && whole.byteLength <= SHORT_BYTES_MAX ? whole : undefined
}

const ON_DEMAND = { highWaterMark: 0 }

function viewBody(
  body: ReplayableBody,
  format: Bun.CompressionFormat | undefined,
  scope: RequestScope,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new BodyView(body, format, scope), ON_DEMAND)
}

/** The source of the stream that an extension reads a request's body from. It is a class because nearly every request has one. */
class BodyView {
  readonly #body: ReplayableBody
  readonly #format: Bun.CompressionFormat | undefined
  readonly #scope: RequestScope
  #reader: ChunkReader | undefined

  constructor(body: ReplayableBody, format: Bun.CompressionFormat | undefined, scope: RequestScope) {
    this.#body = body
    this.#format = format
    this.#scope = scope
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { clock } = this.#scope
    this.#reader ??= this.#open().getReader()
    clock.pause()
    try {
      const { done, value } = await this.#reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    } finally {
      clock.resume()
    }
  }

  #open(): ReadableStream<Uint8Array> {
    const stream = this.#body.stream()
    return this.#format === undefined ? stream : decodeWithLimit(stream, this.#format, this.#scope.limits.bytesMax)
  }
}
