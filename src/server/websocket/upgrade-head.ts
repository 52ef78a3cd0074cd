import { HOP_BY_HOP } from '../../formats/http/hop-by-hop.ts'
import type { ResponseHead } from '../../upstream/exact/read-head.ts'
import { responseHeaders } from '../../upstream/headers.ts'

type HeaderList = readonly (readonly [string, string])[]

const CRLF = '\r\n'
/** Headers that an upgrade never has. With a `Content-Length`, the upstream would take the client's first frames for a body. */
const NOT_IN_UPGRADES: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'host', 'content-length'])

/**
 * Writes the head of a WebSocket upgrade request (RFC 6455 §4.1): each character of the target and the headers is
 * one byte. Throws a `TypeError` for a target or header that would break out of its line.
 *
 * @example
 * socket.write(encodeUpgradeRequest('/v1/realtime?model=gpt-realtime', url.host, headers))
 */
export function encodeUpgradeRequest(target: string, host: string, headers: HeaderList): Uint8Array {
  if (!/^[!-~\u0080-\u00ff]+$/.test(target)) throw new TypeError('a request target with characters of no target')
  const endToEnd = headers.filter(([name]) => !NOT_IN_UPGRADES.has(name.toLowerCase()))
  return encodeHead(`GET ${target} HTTP/1.1`, [
    ['Host', host],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ...endToEnd,
  ])
}

/**
 * Writes the head of the 101 that the client gets: the upstream's end-to-end headers, and those of `added` whose name
 * the upstream did not send. Throws a `TypeError` for a header that would break out of its line.
 *
 * @example
 * client.write(encodeSwitch(head, [['x-request-id', id]]))
 */
export function encodeSwitch(head: ResponseHead, added: HeaderList): Uint8Array {
  const headers = answerHeaders(head, added)
  // A 1xx has no body, and so no length (RFC 9110 §8.6).
  headers.delete('content-length')
  const line = `HTTP/1.1 101 ${head.reason || 'Switching Protocols'}`
  return encodeHead(line, [['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ...headers])
}

/**
 * Writes the refusal that the client gets in place of the 101, with its whole body: the connection's last answer. Throws a
 * `TypeError` for a header that would break out of its line.
 *
 * @example
 * client.end(encodeRefusal(head, answerHeaders(head, added), body))
 */
export function encodeRefusal(head: ResponseHead, headers: Headers, body: Uint8Array): Uint8Array {
  // A 204 and a 304 have no body, and no length either (RFC 9110 §8.6).
  const isBodiless = head.status === 204 || head.status === 304
  headers.delete('content-length')
  return Buffer.concat([
    encodeHead(`HTTP/1.1 ${head.status} ${head.reason}`, [
      ...headers,
      ...(isBodiless ? [] : [['Content-Length', String(body.byteLength)] as const]),
      // Each hop has to say itself which protocol it speaks instead (RFC 9110 §15.5.22).
      ...(head.status === 426 ? [['Upgrade', head.headers.get('upgrade') ?? 'HTTP/1.1'] as const] : []),
      ['Connection', head.status === 426 ? 'upgrade, close' : 'close'],
    ]),
    body,
  ])
}

/** Gives the upstream's headers that go to the client, and those of `added` whose name the upstream did not send. */
export function answerHeaders({ headers }: ResponseHead, added: HeaderList): Headers {
  const answer = responseHeaders(headers)
  for (const [name, value] of added) if (!answer.has(name)) answer.set(name, value)
  return answer
}

function encodeHead(line: string, headers: HeaderList): Uint8Array {
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`)]
  if (lines.some((text) => /[\r\n\0]/.test(text))) throw new TypeError('a header that would break out of its line')
  return Buffer.from(lines.join(CRLF) + CRLF + CRLF, 'latin1')
}
