import { isJsonObject, type JsonObject } from '../formats/json/json.ts'

/** Events of a response that come before anything of it has been made (OpenAI's specification). */
const PREAMBLES: ReadonlySet<unknown> = new Set(['response.created', 'response.queued', 'response.in_progress'])

/**
 * Whether an answer, or an event of one, holds something that a model has made, or says that tokens were spent on it: what is
 * thrown away then has been paid for.
 *
 * @example
 * const isUnbilled = !holdsGenerated(JSON.parse(text))
 */
export function holdsGenerated(value: JsonObject): boolean {
  const response = isJsonObject(value['response']) ? value['response'] : value
  const { usage, choices, output, data } = response
  const isSpent = isJsonObject(usage) && [usage['completion_tokens'], usage['output_tokens']].some((n) => Number(n) > 0)
  return isSpent || hasItems(output) || hasItems(data) || (Array.isArray(choices) && choices.some(isChoiceFilled))
}

/**
 * Whether an event only opens a stream, and says nothing yet: the announcement of a response, a chunk of a chat with nothing in it.
 *
 * @example
 * if (opensStream(value)) continue
 */
export function opensStream(value: JsonObject): boolean {
  return PREAMBLES.has(value['type']) || (Array.isArray(value['choices']) && !holdsGenerated(value))
}

function isChoiceFilled(choice: unknown): boolean {
  if (!isJsonObject(choice)) return false
  const { delta, message, text, logprobs } = choice
  const parts = [delta, message].filter(isJsonObject).flatMap(({ role: _role, ...said }) => Object.values(said))
  return [text, logprobs, ...parts].some(isFilled)
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== ''
}

function hasItems(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}
