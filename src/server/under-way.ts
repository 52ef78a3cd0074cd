/** Counts the requests under way: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface UnderWay {
  /** Gives a connection its share in the count. */
  readonly share: () => Share
  /** From now on every connection ends behind its answer. Resolves when no request is left. */
  readonly close: () => Promise<void>
}

/** A connection's share: it serves one request or none. */
export interface Share {
  readonly isServing: boolean
  /** Whether the connection is to end behind its answer. */
  readonly isClosing: boolean
  begin(): void
  end(): void
}

/** Makes the count of the requests under way. */
export function createUnderWay(): UnderWay {
  const noneLeft = Promise.withResolvers<void>()
  let count = 0
  let isClosing = false
  const settle = (): void => {
    if (isClosing && count === 0) noneLeft.resolve()
  }
  class OneShare implements Share {
    isServing = false

    get isClosing(): boolean {
      return isClosing
    }

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
      return noneLeft.promise
    },
  }
}
