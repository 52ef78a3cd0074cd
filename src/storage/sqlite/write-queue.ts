/** The options of a write queue. */
export interface WriteQueueOptions {
  /** Whether an error says that another process is writing. */
  readonly isBusy: (cause: unknown) => boolean
  /** How long a write is tried again. */
  readonly giveUpMs: number
  /** The longest pause between two tries. */
  readonly pauseMs: number
}

/** Runs writes in their order: at once where possible, else later, without blocking the process. */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  #last: Promise<void> | undefined

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /** Runs a write and gives its result; a promise where it, or a write before it, has to wait for another process. */
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
      // At random, so that waiting processes do not try in step.
      await new Promise((resolve) => void setTimeout(resolve, 1 + Math.random() * pauseMs))
    }
  }
}
