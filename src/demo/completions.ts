import type { JsonCall, SimulatedAnswer } from './call.ts'
import { boundText, plainContinuation, type SimulatedText } from './compose-text.ts'
import type { JsonObject, JsonValue } from './json-value.ts'
import { readBoolean, readInteger, readModel, readObject, readStrings } from './read-field.ts'
import { invalidType, invalidValue } from './refusals.ts'
import { dataEvents } from './sse.ts'
import { completionUsage, countTokens, interleaved } from './tokens.ts'

interface TextChoice {
  readonly echoed: string
  readonly reply: SimulatedText
  readonly withLogprobs: boolean
}

const choicesMax = 1024

/** `POST /v1/completions` (OpenAI specification: CreateCompletionResponse, which is also the shape of a chunk). */
export function answerCompletion(call: JsonCall): SimulatedAnswer {
  const { body } = call
  const model = readModel(body)
  const prompts = readPrompts(body['prompt'] ?? '')
  const choices = textChoices(body, prompts)
  const usage = completionUsage(
    prompts.reduce((sum, prompt) => sum + prompt.tokens, 0),
    choices.reduce((sum, { reply }) => sum + reply.tokens.length, 0),
  )
  const head = {
    id: `cmpl-simulated-${call.fingerprint}`,
    object: 'text_completion',
    created: call.created,
    model,
    system_fingerprint: 'fp_simulated',
  }
  if (!readBoolean(body, 'stream')) {
    return { kind: 'json', value: { ...head, choices: choices.map(textChoice), usage } }
  }
  const streamOptions = readObject(body, 'stream_options') ?? {}
  const usageAsked = readBoolean(streamOptions, 'include_usage')
  const tail = usageAsked ? { usage: null } : {}
  const chunks = interleaved(choices.map(textDeltas)).map((choice) => ({ ...head, choices: [choice], ...tail }))
  return dataEvents(usageAsked ? [...chunks, { ...head, choices: [], usage }] : chunks)
}

interface Prompt {
  readonly text: string
  readonly tokens: number
}

/** A prompt may be a text, texts, the numbers of tokens, or several lists of them. Numbers have no text here. */
function readPrompts(prompt: JsonValue): Prompt[] {
  if (typeof prompt === 'string') return [{ text: prompt, tokens: countTokens(prompt) }]
  if (!Array.isArray(prompt)) throw invalidType('prompt', 'a string or an array', prompt)
  if (prompt.length > 0 && prompt.every((item) => typeof item === 'number')) {
    return [{ text: `[${prompt.length} tokens]`, tokens: prompt.length }]
  }
  return prompt.flatMap(readPrompts)
}

function textChoices(body: JsonObject, prompts: readonly Prompt[]): TextChoice[] {
  const count = readInteger(body, 'n', 1, 128) ?? 1
  if (count * prompts.length > choicesMax) {
    throw invalidValue('prompt', `the simulated OpenAI gives at most ${choicesMax} choices to one request.`)
  }
  const bounds = {
    stops: readStrings(body, 'stop'),
    tokensMax: readInteger(body, 'max_tokens', 0, Number.MAX_SAFE_INTEGER),
  }
  const echo = readBoolean(body, 'echo')
  const withLogprobs = readInteger(body, 'logprobs', 0, 5) !== undefined
  return prompts.flatMap(({ text }) =>
    Array.from({ length: count }, (_, index) => {
      const ending = index === 0 ? '' : ` (choice ${index + 1})`
      return { echoed: echo ? text : '', reply: boundText(plainContinuation(text) + ending, bounds), withLogprobs }
    }),
  )
}

function textChoice({ echoed, reply, withLogprobs }: TextChoice, index: number) {
  const logprobs = withLogprobs ? completionLogprobs(reply.tokens, echoed.length) : null
  return { text: echoed + reply.text, index, logprobs, finish_reason: reply.finish }
}

function textDeltas({ echoed, reply, withLogprobs }: TextChoice, index: number): JsonObject[] {
  let offset = echoed.length
  const words = reply.tokens.map((token) => {
    const logprobs = withLogprobs ? completionLogprobs([token], offset) : null
    offset += token.length
    return { text: token, index, logprobs, finish_reason: null }
  })
  const opening = echoed === '' ? [] : [{ text: echoed, index, logprobs: null, finish_reason: null }]
  return [...opening, ...words, { text: '', index, logprobs: null, finish_reason: reply.finish }]
}

/** The older form of log probabilities, in which `text_offset` counts from the beginning of the choice's text. */
function completionLogprobs(tokens: readonly string[], start: number) {
  let offset = start
  return {
    tokens: [...tokens],
    token_logprobs: tokens.map(() => -0.01),
    top_logprobs: tokens.map((token) => ({ [token]: -0.01 })),
    text_offset: tokens.map((token) => {
      offset += token.length
      return offset - token.length
    }),
  }
}
