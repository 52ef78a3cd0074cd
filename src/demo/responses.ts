import type { JsonCall, SimulatedAnswer, SimulatedCall } from './call.ts'
import { chooseCalls } from './choose-tools.ts'
import { boundText, formattedAnswer, plainAnswer } from './compose-text.ts'
import { readInput } from './conversation.ts'
import { type JsonObject, type JsonValue, textOf } from './json-value.ts'
import { readBoolean, readInteger, readModel, readObject, readString } from './read-field.ts'
import { invalidType, missingParameter, SimulatedError } from './refusals.ts'
import { namedEvents } from './sse.ts'
import { argumentPieces, countTokens } from './tokens.ts'

/** `POST /v1/responses` (OpenAI specification: Response, ResponseStreamEvent). Nothing is stored. */
export function answerResponse(call: JsonCall): SimulatedAnswer {
  const { body } = call
  const opened = openResponse(call, readModel(body))
  const input = body['input'] ?? undefined
  if (input === undefined) throw missingParameter('input')
  if (typeof input !== 'string' && !Array.isArray(input)) throw invalidType('input', 'a string or an array', input)

  const conversation = readInput(input, readString(body, 'instructions') ?? '')
  const calls = chooseCalls(body, conversation, call.fingerprint)
  const format = readObject(readObject(body, 'text') ?? {}, 'format')
  const reply = boundText(formattedAnswer(format, conversation) ?? plainAnswer(conversation), {
    stops: [],
    tokensMax: readInteger(body, 'max_output_tokens', 1, Number.MAX_SAFE_INTEGER),
  })
  const cut = calls.length === 0 && reply.finish === 'length'
  const status = cut ? 'incomplete' : 'completed'
  const output = calls.length > 0 ? functionCalls(calls, call.fingerprint) : [message(reply.text, status, call)]
  const outputTokens =
    calls.length > 0 ? calls.reduce((sum, made) => sum + countTokens(made.arguments), 0) : reply.tokens.length
  const ended = {
    ...opened,
    status,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output,
    usage: responseUsage(conversation.promptTokens + toolTokens(body), outputTokens),
    ...(cut ? {} : { completed_at: call.created }),
  }
  if (!readBoolean(body, 'stream')) return { kind: 'json', value: ended }
  return namedEvents(responseEvents(opened, ended, output, reply.tokens))
}

/** `GET` and `DELETE /v1/responses/{id}`: nothing is stored, so nothing is found. */
export function answerStoredResponse({ id }: SimulatedCall): never {
  throw new SimulatedError({ status: 404, message: `Response with id '${id}' not found.` })
}

/** The response as it is when it begins, with what the request asked for told back. */
function openResponse({ body, fingerprint, created }: JsonCall, model: string) {
  const given = (field: string, otherwise: JsonValue): JsonValue => body[field] ?? otherwise
  return {
    id: `resp_simulated_${fingerprint}`,
    object: 'response',
    created_at: created,
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: given('instructions', null),
    max_output_tokens: given('max_output_tokens', null),
    max_tool_calls: null,
    model,
    output: [],
    parallel_tool_calls: given('parallel_tool_calls', true),
    previous_response_id: given('previous_response_id', null),
    prompt_cache_key: given('prompt_cache_key', null),
    reasoning: { effort: null, summary: null },
    safety_identifier: given('safety_identifier', null),
    service_tier: 'default',
    store: false,
    temperature: given('temperature', 1),
    text: given('text', { format: { type: 'text' }, verbosity: 'medium' }),
    tool_choice: given('tool_choice', 'auto'),
    tools: given('tools', []),
    top_logprobs: 0,
    top_p: given('top_p', 1),
    truncation: 'disabled',
    usage: null,
    user: given('user', null),
    metadata: given('metadata', {}),
  } satisfies JsonObject
}

function message(text: string, status: string, { fingerprint }: JsonCall) {
  return {
    id: `msg_simulated_${fingerprint}`,
    type: 'message',
    status,
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  }
}

function functionCalls(calls: ReturnType<typeof chooseCalls>, fingerprint: string) {
  return calls.map((call, index) => ({
    id: `fc_simulated_${fingerprint}_${index}`,
    type: 'function_call',
    status: 'completed',
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  }))
}

function responseUsage(inputTokens: number, outputTokens: number) {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  }
}

function toolTokens(body: JsonObject): number {
  return Array.isArray(body['tools']) ? countTokens(JSON.stringify(body['tools'])) : 0
}

type ResponseEvent = JsonObject & { type: string }

/**
 * The events of a streamed response, in OpenAI's order: it begins, each output item is added, filled and done, it ends.
 *
 * @param opened the response at its beginning
 * @param ended the response at its end, whose status names the last event
 * @param output its items: messages with one text, or calls of functions
 * @param words the text of a message, in the pieces in which it is sent
 */
function responseEvents(
  opened: JsonObject,
  ended: JsonObject & { status: string },
  output: readonly JsonObject[],
  words: readonly string[],
): ResponseEvent[] {
  return [
    { type: 'response.created', response: opened },
    { type: 'response.in_progress', response: opened },
    ...output.flatMap((item, index) =>
      item['type'] === 'function_call' ? callEvents(item, index) : messageEvents(item, index, words),
    ),
    { type: `response.${ended.status}`, response: ended },
  ]
}

function messageEvents(item: JsonObject, outputIndex: number, words: readonly string[]): ResponseEvent[] {
  const at = { item_id: textOf(item['id']), output_index: outputIndex, content_index: 0 }
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const text = words.join('')
  const started = { ...item, status: 'in_progress', content: [] }
  return [
    { type: 'response.output_item.added', output_index: outputIndex, item: started },
    { type: 'response.content_part.added', ...at, part },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: { ...part, text } },
    { type: 'response.output_item.done', output_index: outputIndex, item },
  ]
}

function callEvents(item: JsonObject, outputIndex: number): ResponseEvent[] {
  const at = { item_id: textOf(item['id']), output_index: outputIndex }
  const json = textOf(item['arguments'])
  const started = { ...item, status: 'in_progress', arguments: '' }
  return [
    { type: 'response.output_item.added', output_index: outputIndex, item: started },
    ...argumentPieces(json).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
    { type: 'response.function_call_arguments.done', ...at, name: textOf(item['name']), arguments: json },
    { type: 'response.output_item.done', output_index: outputIndex, item },
  ]
}
