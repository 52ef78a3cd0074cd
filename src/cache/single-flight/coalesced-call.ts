import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { TimedChunk } from '../../timing/paced-stream.ts'
import { Broadcast } from './broadcast.ts'
import type { SourceEnd } from './broadcast-reader.ts'
import type { CallResult } from './call-result.ts'
import type { Memory } from './kept-chunks.ts'

/** How one request takes part in a call. All but `signal` counts for the leader only. */
export interface ShareOptions {
  /** Aborted when its client leaves. */
  readonly signal: AbortSignal
  /** The answer is read to its end also when nobody waits for it any more. */
  readonly runsOn: boolean
  /** Whether these chunks are all of the answer, though its body goes on; absent: they never are. */
  readonly isInFull?: (answer: Response, chunks: readonly TimedChunk[]) => boolean
  /**
   * Whether requests that come behind its end may have a complete body. They wait until that is known (`SingleFlight.judged`), and nobody
   * joins a call whose body is refused. Absent: they may.
   */
  readonly isGood?: (answer: Response, chunks: readonly TimedChunk[]) => boolean | Promise<boolean>
  /**
   * Called once with the complete body, when that has ended properly or is there in full, and with what `isGood` says of it. A call with a
   * good body can be joined until the returned promise has settled.
   */
  readonly onComplete?: (answer: Response, chunks: readonly TimedChunk[], isGood: boolean) => void | Promise<void>
  /**
   * Called once, when the call can't be joined any more: it is over, or its body is too large and goes on. `chunks`: all that has come.
   * Must not throw.
   */
  readonly onOver?: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  /**
   * Called once, last of all, when the call has ended in any way, also if nobody wanted its answer in the end. `chunks`: those that are
   * kept. Must not throw.
   */
  readonly onEnd?: (end: SourceEnd, cause: unknown, chunks: readonly TimedChunk[]) => void
  /** Takes the place of `SingleFlightDeps.keptBytesMax`. */
  readonly keptBytesMax?: number
}

/** The dependencies that all calls share. */
export interface SingleFlightDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** A larger body can't be joined beyond that point, and is not stored. */
  readonly keptBytesMax: number
  /** Bodies under way count towards it. Absent: they are not counted. */
  readonly memory?: Memory | undefined
}

const NOTHING: readonly TimedChunk[] = []

/** A request that waits for the answer's head. */
interface Waiter {
  readonly signal: AbortSignal
  readonly resolve: (result: CallResult) => void
  readonly reject: (cause: unknown) => void
  readonly onAbort: () => void
}

/** One call that several requests may wait for. `SingleFlight` makes it, and is told by `forget` when nobody can join it any more. */
export class CoalescedCall {
  readonly #deps: SingleFlightDeps
  readonly #options: ShareOptions
  readonly #forget: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  readonly #abort = new AbortController()
  readonly #waiters = new Set<Waiter>()
  #isDeserted = false
  #result: CallResult | undefined
  /** undefined: the head has not come, or the answer has no body. */
  #broadcast: Broadcast | undefined
  #judged: Promise<void> | undefined

  constructor(
    deps: SingleFlightDeps,
    options: ShareOptions,
    forget: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void,
  ) {
    this.#deps = deps
    this.#options = options
    this.#forget = forget
  }

  begin(start: (abort: AbortController) => Promise<CallResult>): void {
    Promise.try(start, this.#abort)
      .then((result) => this.#onHead(result))
      .catch((cause: unknown) => this.#onFail(cause))
  }

  /** Resolves when it is known whether the complete body is a good one; undefined: the body has not ended, or that is known. */
  get judged(): Promise<void> | undefined {
    return this.#judged
  }

  join(signal: AbortSignal): Promise<CallResult> {
    if (this.#result !== undefined) return Promise.resolve(this.#open(this.#result, signal))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#leave(waiter, signal.reason)
      const waiter: Waiter = { signal, resolve, reject, onAbort }
      this.#waiters.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(waiter: Waiter, reason: unknown): void {
    this.#waiters.delete(waiter)
    waiter.reject(reason)
    if (this.#waiters.size > 0 || this.#options.runsOn) return
    this.#isDeserted = true
    this.#forget(false, NOTHING)
    this.#abort.abort(reason)
  }

  #onFail(cause: unknown): void {
    this.#forget(false, NOTHING)
    for (const waiter of this.#takeWaiters()) waiter.reject(cause)
    this.#onEnd(this.#isDeserted ? 'cancelled' : 'broken', cause)
  }

  #onHead(result: CallResult): void {
    const { answer, whole } = result
    if (this.#isDeserted) {
      void ignoreRejection(answer.body?.cancel(this.#abort.signal.reason))
      this.#onEnd('cancelled')
      return
    }
    this.#result = result
    if (whole === undefined && answer.body !== null) {
      this.#broadcast = new Broadcast(answer.body, {
        now: this.#deps.now,
        keptBytesMax: this.#options.keptBytesMax ?? this.#deps.keptBytesMax,
        memory: this.#deps.memory,
        runsOn: this.#options.runsOn,
        isInFull: (chunks) => this.#options.isInFull?.(answer, chunks) === true,
        onComplete: (chunks) => this.#onComplete(answer, chunks),
        onClosed: this.#forget,
        onEnd: (end, cause, chunks) => this.#onEnd(end, cause, chunks),
      })
    }
    for (const waiter of this.#takeWaiters()) {
      try {
        waiter.resolve(this.#open(result, waiter.signal))
      } catch (cause) {
        // No response can be made of this head.
        waiter.reject(cause)
      }
    }
    if (this.#broadcast !== undefined) {
      this.#broadcast.settle(undefined)
      return
    }
    this.#onComplete(answer, whole === undefined ? [] : [{ bytes: whole, atMs: 0 }])
    this.#onEnd('complete')
  }

  /** The answer for one more reader. */
  #open({ answer, ...others }: CallResult, signal: AbortSignal): CallResult {
    const { status, statusText } = answer
    const body = this.#broadcast?.join(signal) ?? null
    return { answer: new Response(body, { status, statusText, headers: new Headers(answer.headers) }), ...others }
  }

  #onComplete(answer: Response, chunks: readonly TimedChunk[]): void {
    const judging = this.#options.isGood?.(answer, chunks) ?? true
    if (typeof judging === 'boolean') {
      this.#onJudged(answer, chunks, judging)
      return
    }
    const onJudged = (isGood: boolean): void => {
      this.#judged = undefined
      this.#onJudged(answer, chunks, isGood)
    }
    this.#judged = judging.then(onJudged, () => onJudged(false))
  }

  #onJudged(answer: Response, chunks: readonly TimedChunk[], isGood: boolean): void {
    const { onComplete } = this.#options
    if (!isGood || onComplete === undefined) this.#forget(false, NOTHING)
    // If the answer can't be stored, its readers get it all the same.
    if (onComplete !== undefined)
      Promise.try(onComplete, answer, chunks, isGood).then(
        () => this.#forget(false, NOTHING),
        () => this.#forget(false, NOTHING),
      )
  }

  #onEnd(end: SourceEnd, cause?: unknown, chunks = NOTHING): void {
    this.#options.onEnd?.(end, cause, chunks)
  }

  #takeWaiters(): readonly Waiter[] {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { signal, onAbort } of waiters) signal.removeEventListener('abort', onAbort)
    return waiters
  }
}
