import type { LogLine, LogLines } from './log-lines.ts'
import { openRawClient, type RawClient } from './raw-client.ts'

/** The parts of a request that are not those of a streamed chat completion. */
export interface RequestParts {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  /** null: no body, and no Content-Length. */
  readonly body?: string | Uint8Array | null
  readonly version?: '1.0' | '1.1'
}

/** A request under way. */
export interface SentRequest {
  readonly client: RawClient
  /** The one line of the log about it, once it has ended. */
  readonly record: () => Promise<LogLine>
}

export const MESSAGES = [{ role: 'user', content: 'hi' }] as const
export const CHAT_STREAM = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
export const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

/** A caller who brings a key of its own. */
export const OWN_KEY = { Authorization: 'Bearer sk-callers-own' } as const

/** Sends a request to a gateway on a connection of its own. */
export async function sendRequest(
  gateway: Pick<LogLines, 'line'> & { readonly port: number },
  parts: RequestParts = {},
): Promise<SentRequest> {
  const id = `sent-${crypto.randomUUID()}`
  const client = await openRawClient(gateway.port)
  client.write(requestBytes(parts, id))
  return { client, record: () => gateway.line(({ msg, request_id }) => msg === 'exchange' && request_id === id) }
}

function requestBytes(parts: RequestParts, id: string): Uint8Array {
  const { method = 'POST', target = '/v1/chat/completions', body = CHAT_STREAM, version = '1.1' } = parts
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const headers = {
    Host: 'localhost',
    'X-Request-Id': id,
    ...(bytes !== null && { 'Content-Type': 'application/json', 'Content-Length': String(bytes.byteLength) }),
    ...(parts.headers ?? OWN_KEY),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n`),
    bytes ?? Buffer.alloc(0),
  ])
}
