import { ApiError } from '../openai/api-error.ts'

/** What is being served: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface UnderWay {
  /** Adds one; `breakOff` is for one that has to end before. What it returns is to be called once, at its end. */
  readonly add: (breakOff: (reason: ApiError) => void) => () => void
  /** Breaks off all that is left, so that no answer looks complete, and each is recorded. */
  readonly breakOff: () => void
  /** From now on no connection goes on behind its answer. Resolves when nothing is left. */
  readonly close: () => Promise<void>
  readonly isClosing: () => boolean
}

/** Makes the list of what is being served. */
export function createUnderWay(): UnderWay {
  const breakers = new Set<(reason: ApiError) => void>()
  const nothingLeft = Promise.withResolvers<void>()
  let isClosing = false
  const settle = (): void => {
    if (isClosing && breakers.size === 0) nothingLeft.resolve()
  }
  return {
    add(breakOff) {
      breakers.add(breakOff)
      return () => {
        breakers.delete(breakOff)
        settle()
      }
    },
    breakOff() {
      for (const breakOff of breakers) breakOff(new ApiError('draining'))
    },
    close() {
      isClosing = true
      settle()
      return nothingLeft.promise
    },
    isClosing: () => isClosing,
  }
}
