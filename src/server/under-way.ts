/** How much is being served: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface UnderWay {
  /** Gives a connection its share in the count. */
  readonly share: () => Share
  /** From now on no connection goes on behind its answer. Resolves when nothing is left. */
  readonly close: () => Promise<void>
  readonly isClosing: () => boolean
}

/** A connection's share: it serves one request or none. */
export interface Share {
  readonly isServing: boolean
  begin(): void
  end(): void
}

/** Makes the count of what is being served. */
export function createUnderWay(): UnderWay {
  const nothingLeft = Promise.withResolvers<void>()
  let count = 0
  let isClosing = false
  const settle = (): void => {
    if (isClosing && count === 0) nothingLeft.resolve()
  }
  class OneShare implements Share {
    isServing = false

    begin(): void {
      if (!this.isServing) count += 1
      this.isServing = true
    }

    end(): void {
      if (this.isServing) count -= 1
      this.isServing = false
      settle()
    }
  }
  return {
    share: () => new OneShare(),
    close() {
      isClosing = true
      settle()
      return nothingLeft.promise
    },
    isClosing: () => isClosing,
  }
}
