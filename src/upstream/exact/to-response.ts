import type { ClientRequest, IncomingMessage } from 'node:http'
import { ApiError } from '../../openai/api-error.ts'

/** Statuses that never have a body, whatever their headers say (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes a standard `Response` of a server's answer. The bytes of its body are unchanged, and never read ahead.
 *
 * A body that breaks off fails. Cancelling the body closes the connection, and so does its end while the request
 * is still being written. Throws `upstream_invalid_response` for a status that a `Response` can't have.
 *
 * @example
 * request.on('response', (message) => resolve(toResponse(message, request)))
 */
export function toResponse(message: IncomingMessage, request: ClientRequest): Response {
  const status = message.statusCode ?? 0
  if (status < 200 || status > 599) {
    throw new ApiError('upstream_invalid_response', { cause: `upstream answered with a ${status}` })
  }
  const isBodiless = request.method === 'HEAD' || BODILESS.has(status)
  const body = isBodiless ? null : bodyOf(message)
  message.once('end', () => {
    // The server takes no more of the request: waiting for it would be in vain.
    if (!request.writableFinished) request.destroy()
  })
  if (isBodiless) message.on('error', () => undefined).resume()
  // `server/http1/` writes a reason as UTF-8, and the runtime's fetch reads it as UTF-8; the parser here reads Latin-1.
  const statusText = Buffer.from(message.statusMessage ?? '', 'latin1').toString()
  return new Response(body, { status, statusText, headers: headersOf(message) })
}

function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let isOpen = true
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const finish = (act: () => void): void => {
          if (isOpen) act()
          isOpen = false
        }
        const fail = (cause: unknown): void => finish(() => controller.error(cause))
        message.pause()
        message.on('data', (chunk: Uint8Array) => {
          if (!isOpen) return
          message.pause()
          controller.enqueue(chunk)
        })
        message.on('end', () => (message.complete ? finish(() => controller.close()) : fail(cutShort())))
        message.on('error', fail)
        message.on('close', () => fail(cutShort()))
      },
      pull() {
        message.resume()
      },
      cancel() {
        isOpen = false
        message.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}

function cutShort(): Error {
  return Object.assign(new Error('the answer was cut short'), { code: 'ECONNRESET' })
}

/** Makes standard headers of a message's; repeated ones and cookies stay apart. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '')
  }
  return headers
}
