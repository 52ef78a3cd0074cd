import type { Log } from '../telemetry/log.ts'
import { showDollars } from './manage/amounts.ts'

/** What a call has used and cost. */
interface CallCost {
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  /** In dollars. */
  readonly cost: number
}

/** A log that tells what calls cost. */
interface WatchedLog {
  readonly log: Log
  /** Resolves with the first call that was counted. */
  readonly first: Promise<CallCost>
  /** Calls back with each call from now on. */
  readonly onEach: (tell: (cost: CallCost) => void) => void
}

/**
 * Watches a log for what calls have cost: each has its line there, whatever level is shown.
 *
 * @example
 * const { log, first } = watchCosts(openedLog)
 */
export function watchCosts(log: Log): WatchedLog {
  const first = Promise.withResolvers<CallCost>()
  let tell: (cost: CallCost) => void = first.resolve
  const line: Log['line'] = (level, fields, message) => {
    if (log.line === undefined) log[level](fields, message)
    else log.line(level, fields, message)
    const { model, input_tokens, output_tokens, cost } = fields as Readonly<Record<string, unknown>>
    if (typeof cost !== 'number') return
    tell({ model: String(model), inputTokens: Number(input_tokens), outputTokens: Number(output_tokens), cost })
  }
  return {
    log: Object.create(log, { line: { value: line } }) as Log,
    first: first.promise,
    onEach(callback) {
      tell = callback
    },
  }
}

/** Says what the first chat has cost. */
export function renderFirstCost({ inputTokens, outputTokens, cost }: CallCost): string {
  return `  cost      ${showDollars(cost)}: ${inputTokens} tokens read, ${outputTokens} written; booked to its key\n`
}

/** Says what one more call has cost. */
export function renderCost({ model, inputTokens, outputTokens, cost }: CallCost): string {
  return `  call      ${model.padEnd(20)} ${inputTokens} read, ${outputTokens} written  ${showDollars(cost)}\n`
}
