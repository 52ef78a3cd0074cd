import { openRawClient } from '../../helpers/raw-client.ts'
import type { BadRequest } from './bad-requests.ts'
import type { Answer } from './judge-answer.ts'

const HUNG_MS = 20_000

/** Sends a request as it is, on a connection of its own; a text: why there is no answer. */
export async function sendBadRequest(
  { method, target, headers, body }: BadRequest,
  port: number,
): Promise<Answer | string> {
  const client = await openRawClient(port)
  const length = body === undefined ? '' : `Content-Length: ${body.byteLength}\r\n`
  const head = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-callers-own\r\n${headers}${length}Connection: close\r\n\r\n`
  client.write(Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]))
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve('it was left to wait'), HUNG_MS)
  // A HEAD has no body to wait for: the connection's end says that all is there.
  const whole = method === 'HEAD' ? client.closed.then(() => client.response()) : client.response()
  const response = await Promise.race([whole.catch((thrown: unknown) => String(thrown)), late.promise])
  clearTimeout(timer)
  client.leave()
  if (typeof response === 'string') return response
  const { status } = response
  return { method, target, status, contentType: response.headers.get('content-type') ?? '', body: response.text() }
}
