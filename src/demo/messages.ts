import type { JsonCall, SimulatedAnswer } from './call.ts'
import { boundText, plainAnswer } from './compose-text.ts'
import { readMessages } from './conversation.ts'
import type { JsonObject } from './json-value.ts'
import { readBoolean, readInteger, readModel } from './read-field.ts'
import { invalidType, missingParameter } from './refusals.ts'
import { countTokens } from './tokens.ts'

const CACHED = 2

/**
 * `POST /v1/messages` in the form of Anthropic's API: a text that quotes the last message, as JSON or as a stream. Its prompt is told at the
 * stream's beginning, what was written so far behind that.
 */
export function answerMessage(call: JsonCall): SimulatedAnswer {
  const { body, fingerprint } = call
  const model = readModel(body)
  const conversation = readMessages(messagesOf(body))
  const tokensMax = readInteger(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (tokensMax === undefined) throw missingParameter('max_tokens')
  const reply = boundText(plainAnswer(conversation), { stops: [], tokensMax })
  const read = inputUsage(conversation.promptTokens + systemTokens(body))
  const output_tokens = reply.tokens.length
  const stop_reason = reply.finish === 'length' ? 'max_tokens' : 'end_turn'
  const head = { id: `msg_simulated_${fingerprint}`, type: 'message', role: 'assistant', model }
  if (!readBoolean(body, 'stream')) {
    const content = [{ type: 'text', text: reply.text }]
    return {
      kind: 'json',
      value: { ...head, content, stop_reason, stop_sequence: null, usage: { ...read, output_tokens } },
    }
  }
  const message = { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...read, output_tokens: 1 } }
  return {
    kind: 'events',
    frames: [
      frame('message_start', { message }),
      frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      frame('ping', {}),
      ...reply.tokens.map((text) => frame('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
      frame('content_block_stop', { index: 0 }),
      frame('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens } }),
      frame('message_stop', {}),
    ],
    failure: (said) => frame('error', { error: { type: 'api_error', message: said } }),
  }
}

/** `POST /v1/messages/count_tokens`. */
export function answerTokenCount({ body }: JsonCall): SimulatedAnswer {
  readModel(body)
  const { promptTokens } = readMessages(messagesOf(body))
  return { kind: 'json', value: { input_tokens: promptTokens + systemTokens(body) } }
}

/** What was read beside the cache, and from it: Anthropic counts these apart. */
function inputUsage(tokens: number): JsonObject {
  const cached = Math.min(CACHED, tokens)
  return {
    input_tokens: tokens - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    service_tier: 'standard',
  }
}

function frame(type: string, event: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...event })}\n\n`
}

function messagesOf(body: JsonObject) {
  const { messages } = body
  if (messages === undefined) throw missingParameter('messages')
  if (!Array.isArray(messages)) throw invalidType('messages', 'an array of objects', messages)
  return messages
}

function systemTokens({ system }: JsonObject): number {
  return system === undefined ? 0 : countTokens(typeof system === 'string' ? system : JSON.stringify(system))
}
