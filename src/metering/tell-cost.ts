import { wholeOf } from '../answers/body-note.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { writeDollars } from '../formats/text/dollars.ts'
import { MeteredCall } from './metered-call.ts'

/**
 * Tells in an answer's headers what it has cost, in dollars, where that is known before its body is sent: its whole body is there, and all of
 * it has been read. The answer of a stream begins before anybody knows.
 *
 * @example
 * tellCost(exchange, answer)
 * answer.headers.get('x-nexcode-cost') // '0.0035'
 */
export function tellCost(exchange: Exchange, answer: Response): void {
  if (wholeOf(answer) === undefined) return
  const cost = costKnown(exchange)
  if (cost !== undefined) answer.headers.set('x-nexcode-cost', writeDollars(BigInt(cost)))
}

/** What an exchange has cost, in nano-dollars, once all of its answer has been read; undefined: it has not. */
function costKnown({ tally, spending }: Exchange): number | undefined {
  if (!(tally instanceof MeteredCall)) return tally === undefined ? spending?.cost : 0
  return tally.settled() === undefined ? tally.costSoFar() : undefined
}
