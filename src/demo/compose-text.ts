import type { Conversation } from './conversation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts'
import { schemaInstance } from './schema-instance.ts'
import { splitTokens } from './tokens.ts'

/** A text that the simulated model gives, in tokens, and why it ends. */
export interface SimulatedText {
  readonly text: string
  readonly tokens: readonly string[]
  readonly finish: 'stop' | 'length'
}

/** Where a text has to end: at any of the sequences, which are left out, or after so many tokens. */
export interface TextBounds {
  readonly stops: readonly string[]
  readonly tokensMax: number | undefined
}

const quotedCharactersMax = 400

/** The simulated model's reply to a conversation: it says that it is simulated, and quotes the user. */
export function plainAnswer({ said, toolResults }: Conversation): string {
  const opening = 'This is a simulated answer from NexCode: no model was asked.'
  if (toolResults.length > 0) {
    return [opening, ...toolResults.map(({ name, text }) => `The tool ${name} gave: ${quoted(text)}`)].join(' ')
  }
  return said === '' ? `${opening} You said nothing.` : `${opening} You said: ${quoted(said)}`
}

/** The simulated model's text after a prompt. */
export function plainContinuation(prompt: string): string {
  return ` [This is a simulated completion from NexCode: no model was asked. The prompt was: ${quoted(prompt)}]`
}

/**
 * The JSON that a `response_format` (chat) or `text.format` (responses) asks for; undefined where it asks for text.
 *
 * `json_schema` gives an instance of the schema, `json_object` an object with the plain answer in it.
 */
export function formattedAnswer(format: JsonObject | undefined, conversation: Conversation): string | undefined {
  if (format?.['type'] === 'json_object') {
    return JSON.stringify({ simulated: true, answer: plainAnswer(conversation) })
  }
  if (format?.['type'] !== 'json_schema') return undefined
  const holder = isJsonObject(format['json_schema']) ? format['json_schema'] : format
  return JSON.stringify(isJsonObject(holder['schema']) ? schemaInstance(holder['schema']) : {})
}

/** Ends a text where its bounds say. */
export function boundText(text: string, { stops, tokensMax }: TextBounds): SimulatedText {
  const ends = stops.filter((stop) => stop !== '').map((stop) => text.indexOf(stop))
  const end = Math.min(text.length, ...ends.filter((at) => at >= 0))
  const all = splitTokens(text.slice(0, end))
  const tokens = all.slice(0, tokensMax ?? all.length)
  return { text: tokens.join(''), tokens, finish: tokens.length < all.length ? 'length' : 'stop' }
}

/** The log probabilities of tokens, as a chat completion gives them: each token was as good as certain. */
export function tokenLogprobs(tokens: readonly string[], alternatives: number) {
  const encoder = new TextEncoder()
  return tokens.map((token) => {
    const itself = { token, logprob: -0.01, bytes: [...encoder.encode(token)] } satisfies JsonValue
    return { ...itself, top_logprobs: alternatives > 0 ? [itself] : [] }
  })
}

function quoted(text: string): string {
  // A character has at most two units: what is kept is surely among the first of them, however long the text.
  const characters = [...text.slice(0, 2 * quotedCharactersMax + 2)]
  const end = characters.length > quotedCharactersMax ? '…' : ''
  return `“${characters.slice(0, quotedCharactersMax).join('')}${end}”`
}
