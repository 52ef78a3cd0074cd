import type { JsonCall, SimulatedAnswer } from './call.ts'
import { type ChatChoice, chatChoices } from './chat-choices.ts'
import { chatChunks } from './chat-chunks.ts'
import { tokenLogprobs } from './compose-text.ts'
import { readMessages } from './conversation.ts'
import type { JsonObject } from './json-value.ts'
import { readBoolean, readModel, readObject } from './read-field.ts'
import { emptyArray, invalidType, invalidValue, missingParameter } from './refusals.ts'
import { dataEvents } from './sse.ts'
import { completionUsage, countTokens } from './tokens.ts'

/** `POST /v1/chat/completions` (OpenAI specification: CreateChatCompletionResponse, …StreamResponse). */
export function answerChatCompletion(call: JsonCall): SimulatedAnswer {
  const { body } = call
  const model = readModel(body)
  const conversation = readMessages(messagesOf(body))
  const choices = chatChoices(call, conversation)
  const promptTokens = conversation.promptTokens + toolTokens(body)
  const usage = completionUsage(
    promptTokens,
    choices.reduce((sum, choice) => sum + choiceTokens(choice), 0),
  )
  const streamed = readBoolean(body, 'stream')
  const streamOptions = readObject(body, 'stream_options')
  if (streamOptions !== undefined && !streamed) {
    throw invalidValue('stream_options', "the 'stream_options' parameter is only allowed when 'stream' is enabled.")
  }
  const head = {
    id: `chatcmpl-simulated-${call.fingerprint}`,
    object: 'chat.completion',
    created: call.created,
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_simulated',
  }
  if (streamed) {
    const usageAsked = streamOptions !== undefined && readBoolean(streamOptions, 'include_usage')
    return dataEvents(chatChunks({ ...head, object: 'chat.completion.chunk' }, choices, usageAsked ? usage : undefined))
  }
  return { kind: 'json', value: { ...head, choices: choices.map(chatChoice), usage } }
}

function messagesOf(body: JsonObject) {
  const messages = body['messages'] ?? undefined
  if (messages === undefined) throw missingParameter('messages')
  if (!Array.isArray(messages)) throw invalidType('messages', 'an array of objects', messages)
  if (messages.length === 0) throw emptyArray('messages')
  return messages
}

function toolTokens(body: JsonObject): number {
  return Array.isArray(body['tools']) ? countTokens(JSON.stringify(body['tools'])) : 0
}

function choiceTokens({ reply, calls }: ChatChoice): number {
  if (calls.length === 0) return reply.tokens.length
  return calls.reduce((sum, call) => sum + countTokens(call.name) + countTokens(call.arguments), 0)
}

function chatChoice({ reply, calls, alternatives }: ChatChoice, index: number) {
  if (calls.length > 0) {
    const tool_calls = calls.map(({ id, ...called }) => ({ id, type: 'function', function: called }))
    const message = { role: 'assistant', content: null, tool_calls, refusal: null, annotations: [] }
    return { index, message, logprobs: null, finish_reason: 'tool_calls' }
  }
  const message = { role: 'assistant', content: reply.text, refusal: null, annotations: [] }
  const logprobs =
    alternatives === undefined ? null : { content: tokenLogprobs(reply.tokens, alternatives), refusal: null }
  return { index, message, logprobs, finish_reason: reply.finish }
}
