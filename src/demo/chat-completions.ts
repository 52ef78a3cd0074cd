import type { JsonCall, SimulatedAnswer } from './call.ts'
import { chooseCalls, type FunctionCall } from './choose-tools.ts'
import { boundText, formattedAnswer, plainAnswer, type SimulatedText, tokenLogprobs } from './compose-text.ts'
import { type Conversation, readMessages } from './conversation.ts'
import type { JsonObject } from './json-value.ts'
import { readBoolean, readInteger, readModel, readObject, readStrings } from './read-field.ts'
import { emptyArray, invalidType, invalidValue, missingParameter } from './refusals.ts'
import { dataEvents } from './sse.ts'
import { argumentPieces, completionUsage, countTokens, interleaved } from './tokens.ts'

/** One choice of a chat completion: a text, or calls of functions. */
interface ChatChoice {
  readonly reply: SimulatedText
  readonly calls: readonly FunctionCall[]
  /** How many alternatives to give for each token; undefined: no log probabilities at all. */
  readonly alternatives: number | undefined
}

/** The choices that a request gets: as many as its `n` says. @throws SimulatedError 400 for a field that cannot be served. */
function chatChoices({ body, fingerprint }: JsonCall, conversation: Conversation): ChatChoice[] {
  const calls = chooseCalls(body, conversation, fingerprint)
  const formatted = formattedAnswer(readObject(body, 'response_format'), conversation)
  const bounds = {
    stops: readStrings(body, 'stop'),
    tokensMax:
      readInteger(body, 'max_completion_tokens', 1, Number.MAX_SAFE_INTEGER) ??
      readInteger(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER),
  }
  const alternatives = readBoolean(body, 'logprobs') ? (readInteger(body, 'top_logprobs', 0, 20) ?? 0) : undefined
  return Array.from({ length: readInteger(body, 'n', 1, 128) ?? 1 }, (_, index) => {
    const plain = plainAnswer(conversation) + (index === 0 ? '' : ` (choice ${index + 1})`)
    return { reply: boundText(formatted ?? plain, bounds), calls: numbered(calls, index), alternatives }
  })
}

/** The same calls for another choice, with ids of their own. */
function numbered(calls: readonly FunctionCall[], choice: number): FunctionCall[] {
  return calls.map((call) => (choice === 0 ? call : { ...call, id: `${call.id}_${choice}` }))
}

/**
 * The chunks of a streamed chat completion: each choice's role, its words one by one, how it ended, and then the usage.
 *
 * Several choices come interleaved. Where usage was asked for, every chunk before carries `usage: null`, as at OpenAI.
 */
function chatChunks(head: JsonObject, choices: readonly ChatChoice[], usage: JsonObject | undefined): JsonObject[] {
  const tail: JsonObject = usage === undefined ? {} : { usage: null }
  const chunks = interleaved(choices.map(choiceDeltas)).map((choice) => ({ ...head, choices: [choice], ...tail }))
  return usage === undefined ? chunks : [...chunks, { ...head, choices: [], usage }]
}

function choiceDeltas({ reply, calls, alternatives }: ChatChoice, index: number): JsonObject[] {
  const step = (delta: JsonObject, finish: string | null, logprobs: JsonObject | null = null) => ({
    index,
    delta,
    logprobs,
    finish_reason: finish,
  })
  if (calls.length > 0) {
    const deltas = calls.flatMap(callDeltas)
    const [first = {}, ...rest] = deltas
    const opening = { role: 'assistant', content: null, ...first, refusal: null }
    return [step(opening, null), ...rest.map((delta) => step(delta, null)), step({}, 'tool_calls')]
  }
  const words = reply.tokens.map((token) =>
    step(
      { content: token },
      null,
      alternatives === undefined ? null : { content: tokenLogprobs([token], alternatives), refusal: null },
    ),
  )
  return [step({ role: 'assistant', content: '', refusal: null }, null), ...words, step({}, reply.finish)]
}

/** A call's name first, with empty arguments, then its arguments piece by piece. */
function callDeltas({ id, name, arguments: json }: FunctionCall, index: number): JsonObject[] {
  return [
    { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
    ...argumentPieces(json).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]
}

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
