import type { JsonObject } from '../formats/json/json.ts'
import { callsOf, innerCalls } from '../openai/inner-calls.ts'
import { isWords } from '../openai/inner-members.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { Slice } from '../timing/slices.ts'
import { assertWhole, type Judged, judgeCall, judgeModels } from './judge-inner.ts'

/**
 * Judges what a request has in it, as `judgeInner` does, where there are lists of more calls than may be judged in one go: the event
 * loop is free in between. With it comes what the rules of the request's own model say of what is within; `ruled` is the body behind them.
 *
 * Rejects as `judgeInner` throws.
 *
 * @example
 * const inner = await judgeInTurns(judged, applied.value, longLists(value))
 */
export async function judgeInTurns(
  judged: Judged,
  ruled: JsonObject,
  lists: readonly string[],
): Promise<readonly InnerModel[]> {
  const { exchange, snapshot, value, program } = judged
  const without = (whole: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => !lists.includes(name)))
  assertWhole(judged, true)
  program?.judgeInner?.(without(ruled))
  const rest = without(value)
  for (const call of innerCalls(rest)) judgeCall(call, exchange, snapshot)
  const models = new Map(judgeModels(judged, rest).map((one) => [one.model, one]))
  const slice = new Slice()
  for (const name of lists) {
    const list = value[name] as readonly unknown[]
    const isSaid = isWords(name, list, value)
    for (const [at, one] of list.entries()) {
      for (const call of callsOf(one, [name, at], value['endpoint'])) judgeCall(call, exchange, snapshot)
      if (!isSaid) {
        program?.judgeInner?.(one, [name, at])
        for (const found of judgeModels(judged, one, [name, at]))
          if (!models.has(found.model)) models.set(found.model, found)
      }
      if (slice.isOver()) await slice.rest()
    }
  }
  return [...models.values()]
}
