import type { JsonCall } from './call.ts'
import { chooseCalls, type FunctionCall } from './choose-tools.ts'
import { boundText, formattedAnswer, plainAnswer, type SimulatedText } from './compose-text.ts'
import type { Conversation } from './conversation.ts'
import { readBoolean, readInteger, readObject, readStrings } from './read-field.ts'

/** One choice of a chat completion: a text, or calls of functions. */
export interface ChatChoice {
  readonly reply: SimulatedText
  readonly calls: readonly FunctionCall[]
  /** How many alternatives to give for each token; undefined: no log probabilities at all. */
  readonly alternatives: number | undefined
}

/** The choices that a request gets: as many as its `n` says. @throws SimulatedError 400 for a field that cannot be served. */
export function chatChoices({ body, fingerprint }: JsonCall, conversation: Conversation): ChatChoice[] {
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
