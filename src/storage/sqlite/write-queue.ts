/** The options of a write queue. */
export interface WriteQueueOptions {
  /** Whether an error says that somebody else writes just now. */
  readonly isBusy: (cause: unknown) => boolean
  /** For so long a write is tried again. */
  readonly giveUpMs: number
  /** The longest pause between two tries. */
  readonly pauseMs: number
}

/** Runs writes in their order: at once where that goes, and otherwise later, without holding the process up. */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  #last: Promise<void> | undefined

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /** Runs a write and gives its result; a promise of it where it, or one before it, has to wait for somebody else. */
  run<T>(write: () => T): T | Promise<T> {
    if (this.#last === undefined) {
      try {
        return write()
      } catch (cause) {
        if (!this.#options.isBusy(cause)) throw cause
      }
    }
    const turn = (this.#last ?? Promise.resolve()).then(() => this.#retry(write))
    const done = (): void => {
      if (this.#last === settled) this.#last = undefined
    }
    const settled: Promise<void> = turn.then(done, done)
    this.#last = settled
    return turn
  }

  /** Resolves when no write waits any more. */
  async idle(): Promise<void> {
    while (this.#last !== undefined) await this.#last
  }

  async #retry<T>(write: () => T): Promise<T> {
    const { isBusy, giveUpMs, pauseMs } = this.#options
    for (const giveUpAt = performance.now() + giveUpMs; ; ) {
      try {
        return write()
      } catch (cause) {
        if (!isBusy(cause) || performance.now() > giveUpAt) throw cause
      }
      // Never in step with others that wait.
      await new Promise((resolve) => void setTimeout(resolve, 1 + Math.random() * pauseMs))
    }
  }
}
