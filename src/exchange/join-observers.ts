import type { Observer } from './exchange.ts'

/**
 * Makes one observer of several, which are told in this order. A function that none of them has is undefined, and costs nothing.
 *
 * @example
 * const observers = joinObservers([repeats, createLogObserver(log)])
 */
export function joinObservers(all: readonly Observer[]): Observer {
  const join = <A extends readonly unknown[]>(
    hearers: readonly (((...told: A) => void) | undefined)[],
  ): ((...told: A) => void) | undefined => {
    const wanted = hearers.filter((hearer) => hearer !== undefined)
    const [only] = wanted
    if (wanted.length <= 1) return only
    return (...told) => {
      for (const hear of wanted) hear(...told)
    }
  }
  const onStart = join(all.map((one) => one.onStart?.bind(one)))
  const onAttempt = join(all.map((one) => one.onAttempt?.bind(one)))
  const onFirstByte = join(all.map((one) => one.onFirstByte?.bind(one)))
  const onUsage = join(all.map((one) => one.onUsage?.bind(one)))
  const onEnd = join(all.map((one) => one.onEnd?.bind(one)))
  return {
    ...(onStart !== undefined && { onStart }),
    ...(onAttempt !== undefined && { onAttempt }),
    ...(onFirstByte !== undefined && { onFirstByte }),
    ...(onUsage !== undefined && { onUsage }),
    ...(onEnd !== undefined && { onEnd }),
  }
}
