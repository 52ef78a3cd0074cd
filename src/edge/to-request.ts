import type { IncomingMessage } from 'node:http'
import { noteArrival } from '../http/arrival.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadlines } from '../timing/deadlines.ts'

/** What making a request of a message needs. */
export interface ToRequestOptions {
  /** Aborted by the caller of this when the client leaves. */
  readonly abort: AbortController
  readonly deadlines: Deadlines
  /** Between two chunks of a body that is being read; 0: none. */
  readonly uploadIdleMs: number
  /** Called once, before a body is first read: the client may be waiting for `100 Continue` (RFC 9110 §10.1.1). */
  readonly onFirstRead?: () => void
}

/**
 * Makes a standard `Request` of a message of the HTTP server. Its raw target is noted beside it, because a
 * `Request` holds only what a URL parser made of that.
 *
 * The body is read only while somebody reads the request's; it fails with `upload_timeout` where it stalls.
 */
export function toRequest(message: IncomingMessage, options: ToRequestOptions): Request {
  const headers = headersOf(message)
  const target = message.url ?? ''
  const request = new Request(routingUrl(target, headers.get('host')), {
    method: message.method ?? 'GET',
    headers,
    signal: options.abort.signal,
    ...(hasBody(message) && { body: bodyOf(message, options), duplex: 'half' }),
  })
  noteArrival(request, { target, abort: options.abort })
  return request
}

/**
 * Makes standard headers of a message's, repeated ones and cookies as they came.
 *
 * @example
 * const headers = headersOf(message)
 */
export function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '')
  }
  return headers
}

/**
 * A URL to route by. What is not fit for one is refused by the guard, which reads the raw target and the Host.
 * Over TLS it is `http` too: Elysia takes the first slash from the seventh character on for the path's.
 */
function routingUrl(target: string, host: string | null): string {
  const url = `http://${host}${target}`
  return host !== null && target.startsWith('/') && URL.canParse(url) ? url : 'http://unknown.invalid/'
}

/** Whether a message announces a body (RFC 9112 §6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function bodyOf(message: IncomingMessage, options: ToRequestOptions): ReadableStream<Uint8Array> {
  let isOpen = true
  let isRead = false
  let finish: (act: (controller: ReadableStreamDefaultController<Uint8Array>) => void) => void = () => undefined
  const stall = (): void => finish((stream) => stream.error(new ApiError('upload_timeout')))
  const idle = options.deadlines.start(options.uploadIdleMs, stall)
  idle.suspend()
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        finish = (act) => {
          idle.clear()
          if (isOpen) act(controller)
          isOpen = false
        }
        message.on('data', (chunk: Uint8Array) => {
          if (!isOpen) return
          idle.suspend()
          message.pause()
          controller.enqueue(chunk)
        })
        message.on('end', () => finish((stream) => stream.close()))
        message.on('error', () => finish((stream) => stream.error(new ApiError('client_closed'))))
        message.pause()
      },
      pull() {
        if (!isRead) options.onFirstRead?.()
        isRead = true
        idle.touch()
        message.resume()
      },
      cancel() {
        finish(() => undefined)
        // Nobody wants the rest: it is read and dropped.
        message.resume()
      },
    },
    { highWaterMark: 0 },
  )
}
