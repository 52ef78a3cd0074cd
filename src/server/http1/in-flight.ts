/** Counts the requests in flight: each from its arrival until the last byte of its answer has left, or its connection is gone. */
export interface InFlight {
  /** Gives a connection its slot in the count. */
  readonly slot: () => InFlightSlot
  /** From now on every connection ends behind its answer. Resolves when no request is left. */
  readonly close: () => Promise<void>
}

/** A connection's slot: taken while it serves a request. */
export interface InFlightSlot {
  readonly isTaken: boolean
  /** Whether the connection is to end behind its answer. */
  readonly isClosing: boolean
  take(): void
  release(): void
}

/** Makes the count of the requests in flight. */
export function createInFlight(): InFlight {
  const noneLeft = Promise.withResolvers<void>()
  let count = 0
  let isClosing = false
  const settle = (): void => {
    if (isClosing && count === 0) noneLeft.resolve()
  }
  class Slot implements InFlightSlot {
    isTaken = false

    get isClosing(): boolean {
      return isClosing
    }

    take(): void {
      if (!this.isTaken) count += 1
      this.isTaken = true
    }

    release(): void {
      if (this.isTaken) count -= 1
      this.isTaken = false
      settle()
    }
  }
  return {
    slot: () => new Slot(),
    close() {
      isClosing = true
      settle()
      return noneLeft.promise
    },
  }
}
