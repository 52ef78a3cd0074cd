/** What one of our limits on rates leaves to a caller, for the headers of its answer. */
export interface RateShare {
  readonly limit: number
  readonly remaining: number
  /** When all of it can be had again, in milliseconds from now. */
  readonly resetMs: number
}

/** What a call has used and cost, for the log. */
export interface Spending {
  /** In nano-dollars. */
  readonly cost: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * Adds what one more call of the same exchange has used and cost.
 *
 * @example
 * exchange.spending = addSpending(exchange.spending, { cost, inputTokens, outputTokens })
 */
export function addSpending(before: Spending | undefined, more: Spending): Spending {
  if (before === undefined) return more
  return {
    cost: before.cost + more.cost,
    inputTokens: before.inputTokens + more.inputTokens,
    outputTokens: before.outputTokens + more.outputTokens,
  }
}
