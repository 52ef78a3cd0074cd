import { BoundedMemo } from '../formats/bounded-memo.ts'
import { inputTokens, outputTokens, type ToldUsage } from '../openai/usage/usage.ts'
import { isGiven, type PlannedCall } from '../pricing/planned-call.ts'

/** A size is a number beside an id: some megabytes at most. */
const KEPT = { entriesMax: 20_000, keyCharsMax: 400 }

/** Other members by which a call reads what is not in it. */
const OTHERS = ['conversation', 'prompt'] as const

/**
 * Knows how long the responses are that have come through this process, so that a call that goes on from one (`previous_response_id`) holds
 * what it reads of it. A response never changes; a conversation does, by whoever adds to it, so nothing is known of one.
 *
 * @example
 * earlier.hear('gpt-5', tally.told())
 * earlier.tokensBefore('gpt-5', { previous_response_id: 'resp_1' }) // 1200
 */
export class EarlierResponses {
  readonly #tokens = new BoundedMemo<number>(KEPT)

  /** The tokens that a model reads before a call's own; undefined: nobody here knows, or there are none. An image is not as long for another model. */
  tokensBefore(model: string, members: PlannedCall['members']): number | undefined {
    const { previous_response_id: id } = members
    if (typeof id !== 'string' || OTHERS.some((name) => isGiven({ members }, name))) return undefined
    return this.#tokens.get(`${model} ${id}`)
  }

  /** Remembers a response of a model, which had been asked for, by what it tells: the next one reads what it has read and written. */
  hear(model: string, { id, usage, isEstimated }: ToldUsage): void {
    const tokens = inputTokens(usage) + outputTokens(usage)
    if (id !== undefined && !isEstimated && tokens > 0) this.#tokens.set(`${model} ${id}`, tokens)
  }
}
