import { ApiError } from '../openai/api-error.ts'

/** Something that is being served. */
export interface Breakable {
  /** Ends it before its end. */
  breakOff(reason: ApiError): void
}

/** What is being served: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface UnderWay {
  readonly add: (one: Breakable) => void
  readonly remove: (one: Breakable) => void
  /** Breaks off all that is left, so that no answer looks complete, and each is recorded. */
  readonly breakOff: () => void
  /** From now on no connection goes on behind its answer. Resolves when nothing is left. */
  readonly close: () => Promise<void>
  readonly isClosing: () => boolean
}

/** Makes the list of what is being served. */
export function createUnderWay(): UnderWay {
  const all = new Set<Breakable>()
  const nothingLeft = Promise.withResolvers<void>()
  let isClosing = false
  const settle = (): void => {
    if (isClosing && all.size === 0) nothingLeft.resolve()
  }
  return {
    add: (one) => void all.add(one),
    remove(one) {
      all.delete(one)
      settle()
    },
    breakOff() {
      for (const one of all) one.breakOff(new ApiError('draining'))
    },
    close() {
      isClosing = true
      settle()
      return nothingLeft.promise
    },
    isClosing: () => isClosing,
  }
}
