import { HOP_BY_HOP } from '../../formats/http/hop-by-hop.ts'
import type { ResponseHead } from '../../upstream/exact/response-head.ts'
import { responseHeaders } from '../../upstream/headers.ts'

type HeaderList = readonly (readonly [string, string])[]

const CRLF = '\r\n'
/** An upgrade request has no body: with a length, upstream would take the client's first frames for one. */
const NOT_IN_UPGRADES: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'host', 'content-length'])

/**
 * Writes the head of a WebSocket upgrade request (RFC 6455 §4.1): each character of the target and the headers is
 * one byte.
 *
 * Throws a `TypeError` for a target or header that would break out of its line.
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
 * Writes the head of the 101 that the client gets: upstream's end-to-end headers, and `added` where it sent none of
 * the name.
 *
 * @example
 * client.write(encodeSwitch(head, [['x-request-id', id]]))
 */
export function encodeSwitch(head: ResponseHead, added: HeaderList): Uint8Array {
  const headers = answerHeaders(head, added)
  // A 1xx has no body to tell the length of (RFC 9110 §8.6).
  headers.delete('content-length')
  const line = `HTTP/1.1 101 ${head.reason || 'Switching Protocols'}`
  return encodeHead(line, [['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ...headers])
}

/**
 * Writes a refusal that the client gets in place of the 101, with its whole body: the connection's last answer.
 *
 * @example
 * client.end(encodeRefusal(head, answerHeaders(head, added), body))
 */
export function encodeRefusal(head: ResponseHead, headers: Headers, body: Uint8Array): Uint8Array {
  // These two have no body, and no length either (RFC 9110 §8.6).
  const isBodiless = head.status === 204 || head.status === 304
  headers.delete('content-length')
  return Buffer.concat([
    encodeHead(`HTTP/1.1 ${head.status} ${head.reason}`, [
      ...headers,
      ...(isBodiless ? [] : [['Content-Length', String(body.byteLength)] as const]),
      // What is spoken instead is each hop's to say (RFC 9110 §15.5.22).
      ...(head.status === 426 ? [['Upgrade', head.headers.get('upgrade') ?? 'HTTP/1.1'] as const] : []),
      ['Connection', head.status === 426 ? 'upgrade, close' : 'close'],
    ]),
    body,
  ])
}

/** Upstream's headers that go to the client, and `added` where it sent none of the name. */
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
