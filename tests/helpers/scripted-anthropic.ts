import type { Script, UpstreamConnection } from './scripted-upstream.ts'
import { SSE } from './upstream-scripts.ts'

const ID = { 'request-id': 'req_upstream_1' }
const MESSAGE = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-real', stop_sequence: null },
  ...{ stop_reason: 'end_turn', usage: { input_tokens: 12, cache_read_input_tokens: 4, output_tokens: 3 } },
}
const TOOL_USE = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Bern' } }

/** The events of a stream that says “Hello, 世界”, by name. */
const EVENTS: readonly (readonly [name: string, data: object])[] = [
  ['message_start', { message: { ...MESSAGE, content: [], stop_reason: null } }],
  ['ping', {}],
  ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello, ' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: '世界' } }],
  ['content_block_stop', { index: 0 }],
  ['message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } }],
  ['message_stop', {}],
]

interface AskedMessage {
  readonly model: string
  readonly stream?: boolean
  readonly tools?: readonly unknown[]
}

/**
 * Answers as Anthropic's Messages API would: whole, in a stream, with a tool's call, with a count of tokens. The model `claude-limited`
 * is a 429, and `claude-cut` a stream that breaks off behind its first words.
 */
export const answerAsAnthropic: Script = async (request, connection) => {
  const { model, stream, tools } = JSON.parse(new TextDecoder().decode(await request.body)) as AskedMessage
  if (request.target.startsWith('/v1/messages/count_tokens')) return connection.json({ input_tokens: 7 }, 200, ID)
  if (model === 'claude-limited') {
    const error = { type: 'rate_limit_error', message: 'This request would exceed your rate limit.' }
    return connection.json({ type: 'error', error, request_id: 'req_upstream_1' }, 429, ID)
  }
  if (stream === true) return playEvents(connection, model === 'claude-cut')
  if (tools !== undefined) return connection.json({ ...MESSAGE, stop_reason: 'tool_use', content: [TOOL_USE] }, 200, ID)
  return connection.json({ ...MESSAGE, content: [{ type: 'text', text: 'Hello' }] }, 200, ID)
}

function playEvents(connection: UpstreamConnection, isCut: boolean): void {
  connection.startChunked(200, { ...SSE, ...ID })
  for (const [type, more] of isCut ? EVENTS.slice(0, 4) : EVENTS) {
    connection.chunk(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`)
  }
  // An end of the connection without an end of the chunks: all that was sent arrives, and the stream is not complete.
  if (isCut) connection.socket.end()
  else connection.endChunks()
}
