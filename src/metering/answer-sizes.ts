import { BoundedMemo } from '../formats/bounded-memo.ts'
import { outputTokens, type ToldUsage } from '../openai/usage/usage.ts'
import type { UncappedCall } from './call-units.ts'
import type { LesserAmounts } from './demand.ts'

/** How long answers of one kind were, in tokens, and how many have come. */
interface Seen {
  level: number
  count: number
}

/** A short answer: less is never held for one. */
const SHORT_TOKENS = 500
const KEPT = { entriesMax: 2000, keyCharsMax: 400 }
/** Of each shorter answer the level comes down by this part of the difference: after a hundred, a long one is nearly forgotten. */
const FORGOTTEN = 1 / 64
/** From so many answers on the next one is expected to be no longer than twice the level; of fewer, less is known. */
const KNOWN_FROM = 8
/** So many times the longest answer of late has to fit. */
const MARGIN = 2

/**
 * Learns how long answers are to calls that set no cap: by the caller's project, model and endpoint. The level is the longest answer of late:
 * it jumps up with a longer one, and comes down slowly. That is bounded memory and one step an answer, and more than any quantile but the
 * highest.
 *
 * @example
 * sizes.hear(units.uncapped, tally.told())
 * const { most, usual, least } = sizes.lesserAmounts(kind, amount, (tokens) => amountExpected(request, tokens, deps))
 */
export class AnswerSizes {
  readonly #seen = new BoundedMemo<Seen>(KEPT)

  /**
   * What will do for a call whose most, `amount`, a budget has no room for: twice the longest answer of late, more where few have come, and all
   * that is left where none has. A call is let past where twice the longest of late is left, so that one that is somewhat longer overspends nothing.
   * `amountOf`: what it may cost with an answer of so many tokens.
   */
  lesserAmounts(kind: string, amount: bigint, amountOf: (outputTokens: number) => bigint): LesserAmounts {
    const seen = this.#seen.get(kind)
    if (seen === undefined) {
      const least = amountOf(SHORT_TOKENS)
      return { most: amount, usual: least, least }
    }
    const margin = 1 + KNOWN_FROM / Math.min(seen.count, KNOWN_FROM)
    const usual = Math.ceil(seen.level * MARGIN)
    return {
      most: amountOf(Math.max(Math.ceil(seen.level * margin), SHORT_TOKENS)),
      usual: amountOf(usual),
      least: amountOf(Math.min(usual, SHORT_TOKENS)),
    }
  }

  /** Learns from what a complete answer tells; `call` undefined: its call has set a cap, and says nothing about others. */
  hear(call: UncappedCall | undefined, { usage, isEstimated }: ToldUsage): void {
    const written = outputTokens(usage)
    if (call === undefined || isEstimated || written === 0) return
    const tokens = written / call.answers
    const seen = this.#seen.get(call.kind)
    if (seen === undefined) {
      this.#seen.set(call.kind, { level: tokens, count: 1 })
      return
    }
    seen.count += 1
    seen.level = tokens >= seen.level ? tokens : seen.level - (seen.level - tokens) * FORGOTTEN
  }
}
