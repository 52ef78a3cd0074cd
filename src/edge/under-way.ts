import type { EventEmitter } from 'node:events'
import { ApiError } from '../openai/api-error.ts'

/** What is being served: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface UnderWay {
  /** Adds what ends with the `close` event of `out`; `breakOff` is for one that has to end before. */
  readonly add: (out: EventEmitter, breakOff: (reason: ApiError) => void) => void
  /** Breaks off all that is left, so that no answer looks complete, and each is recorded. */
  readonly breakOff: () => void
  /** Resolves when nothing is left. */
  readonly settled: () => Promise<void>
}

/** Makes the list of what is being served; `onEnd` is called after each end. */
export function createUnderWay(onEnd: () => void): UnderWay {
  const breakers = new Map<EventEmitter, (reason: ApiError) => void>()
  const waiting: (() => void)[] = []
  return {
    add(out, breakOff) {
      breakers.set(out, breakOff)
      out.once('close', () => {
        breakers.delete(out)
        onEnd()
        if (breakers.size === 0) for (const resolve of waiting.splice(0)) resolve()
      })
    },
    breakOff() {
      for (const breakOff of breakers.values()) breakOff(new ApiError('draining'))
    },
    settled: () => (breakers.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  }
}
