import type { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { LedgerError } from '../ledger/ledger.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'

/** How often changes of the ledger are looked for, in ms: a key that was revoked elsewhere has to be refused within a second. */
export const LOOK_MS = 250
/** The longest pause between two tries to begin, in milliseconds. */
const PAUSE_MS_MAX = 5_000

interface BeginningParts {
  readonly directory: KeyDirectory
  readonly log: Log
  /** Called behind each look for changes. */
  readonly onLook: () => Promise<void>
}

/**
 * Waits for books that can't be used at the start, and has the keys follow them once they can.
 *
 * @example
 * const beginning = new BooksBeginning({ directory, log, onLook }, begin)
 * await beginning.try()
 */
export class BooksBeginning {
  readonly #parts: BeginningParts
  readonly #begin: () => Promise<void>
  #pauseMs = LOOK_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #stop = (): void => clearTimeout(this.#timer)
  isOver = false

  constructor(parts: BeginningParts, begin: () => Promise<void>) {
    this.#parts = parts
    this.#begin = begin
  }

  /** Rejects with an `OpenLedgerError` where waiting is of no use. */
  async try(): Promise<void> {
    const { directory, log, onLook } = this.#parts
    try {
      await this.#begin()
      this.isOver = true
      if (this.#timer !== undefined) log.info({ keys: directory.size }, 'the ledger can be read: its keys are known')
      this.#stop = followLedger(directory, log, onLook)
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause
      if (this.#timer === undefined) log.error({ cause: describeCause(cause) }, LEDGER_AWAY)
      this.#timer = setTimeout(() => void this.#again(), this.#pauseMs)
      this.#timer.unref()
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX)
    }
  }

  async #again(): Promise<void> {
    try {
      await this.try()
    } catch (cause) {
      this.#parts.log.error({ cause: describeCause(cause) }, 'what the file declares can not be put into the ledger')
    }
  }

  stop(): void {
    this.#stop()
  }
}

/** Looks for changes again and again, each look behind the last one. Gives the function that ends it. */
function followLedger(directory: KeyDirectory, log: Log, onLook: () => Promise<void>): () => void {
  let isDown = false
  let isLooking = false
  const look = async (): Promise<void> => {
    if (isLooking) return
    isLooking = true
    try {
      await directory.follow()
      await onLook()
      if (isDown) log.info({ keys: directory.size }, 'the ledger can be read again')
      isDown = false
    } catch (cause) {
      if (!isDown) log.error({ cause: describeCause(cause) }, LEDGER_DOWN)
      isDown = true
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

const LEDGER_AWAY = 'the ledger can not be used: keys are answered 503 until it can, which is tried again and again'
const LEDGER_DOWN =
  'the ledger can not be read: keys that are known go on, others are answered 503 until it can be read again'
