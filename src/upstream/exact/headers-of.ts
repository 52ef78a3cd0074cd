import type { IncomingMessage } from 'node:http'

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
