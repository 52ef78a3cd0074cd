import type { Exchange } from '../exchange/exchange.ts'
import { endpointUse } from '../openai/endpoint-use.ts'
import { inputTokens, NO_USAGE, type Usage } from '../openai/usage/usage.ts'
import type { SentCall } from '../routing/attempts/sent-call.ts'
import type { ReservedUnits } from './call-units.ts'

/** A model mostly writes more in a second, but it does not begin at once. */
const TOKENS_PER_SECOND = 30
/** No call is taken to have written more where nobody has seen its answer. */
const TOKENS_MAX = 4096

/**
 * What a call is taken to have used that was sent, and of whose answer nothing was seen. All that it asks for has been read: its prompt, the
 * pictures and the speech that are made whoever waits for them. Where its caller waits for a whole text, the model has written meanwhile: so
 * many tokens a second, and half of what the call allows at the most.
 *
 * `until`: when nobody waited any more, in the time of `sentAt`; undefined: it goes on, or nothing is guessed, and only what it asks for counts.
 *
 * @example
 * usageOfCut(sent, { units, exchange }, sent.endedAt ?? performance.now())
 */
export function usageOfCut(
  { sentAt }: Pick<SentCall, 'sentAt'>,
  {
    units,
    exchange,
  }: {
    readonly units: Pick<ReservedUnits, 'asked' | 'tokens'>
    readonly exchange: Pick<Exchange, 'requestTarget' | 'stream'>
  },
  until: number | undefined,
): Usage {
  const read = { ...NO_USAGE, ...units.asked }
  if (until === undefined || exchange.stream || !isWritten(exchange.requestTarget)) return read
  const cap = Math.max(0, units.tokens - inputTokens(read))
  const most = cap === 0 ? TOKENS_MAX : Math.min(TOKENS_MAX, Math.floor(cap / 2))
  const seconds = Math.max(0, until - sentAt) / 1000
  return { ...read, outputText: Math.min(most, Math.floor(seconds * TOKENS_PER_SECOND)) }
}

/** Whether the answer of a call is a text that a model writes word by word. */
function isWritten(target: string): boolean {
  const { usage, isReadOnly } = endpointUse('POST', target)
  return usage === 'completions' && !isReadOnly
}
