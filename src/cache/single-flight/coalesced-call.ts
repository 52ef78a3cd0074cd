import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { TimedChunk } from '../answers/stored-answer.ts'
import { Broadcast } from './broadcast.ts'
import type { SourceEnd } from './broadcast-deps.ts'
import type { Memory } from './kept-chunks.ts'

/** An answer, and what whoever delivers it has to know beside it. */
export interface CallResult<Note> {
  readonly answer: Response
  readonly note: Note
  /** All of its body, where that has been read; the answer is without it then. */
  readonly whole?: Uint8Array<ArrayBuffer>
}

/** How one request takes part in a flight. */
export interface ShareOptions {
  /** Aborted when its client leaves. */
  readonly signal: AbortSignal
  /** Only the leader's counts: the answer is read to its end also when nobody waits for it any more. */
  readonly runsOn: boolean
  /** Only the leader's counts: whether what has come is all of the answer, though its body goes on; absent: it never is. */
  readonly isInFull?: (answer: Response, chunks: readonly TimedChunk[]) => boolean
  /**
   * Only the leader's counts: whether a body that is there as a whole may be given to those who come behind its end. As long as that is
   * not known they wait (`Flights.judged`); what it refuses nobody joins. Absent: it may.
   */
  readonly isGood?: (answer: Response, chunks: readonly TimedChunk[]) => boolean | Promise<boolean>
  /**
   * Only the leader's counts: called once with the whole body, when that has come to its proper end, or is there in full, and with what
   * `isGood` says of it. The flight of a good one can be joined until what it returns has settled.
   */
  readonly onComplete?: (answer: Response, chunks: readonly TimedChunk[], isGood: boolean) => void | Promise<void>
  /** Only the leader's counts: called once, when the flight can't be joined any more, since it is over, or goes on and is too large; `chunks`: all that has come; must not throw. */
  readonly onOver?: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  /**
   * Only the leader's counts: called once, last of all, when the call has ended in whatever way, also one that was begun for nobody
   * in the end; `chunks`: what is kept of its body; must not throw.
   */
  readonly onEnd?: (end: SourceEnd, cause: unknown, chunks: readonly TimedChunk[]) => void
  /** Only the leader's counts: takes the place of what all flights share. */
  readonly keptBytesMax?: number
}

/** What all flights share. */
export interface SingleFlightDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** A body that is larger can't be joined beyond that point, and is not kept. */
  readonly keptBytesMax: number
  /** What is kept counts towards it. Absent: it is not counted. */
  readonly memory?: Memory | undefined
}

const NOTHING: readonly TimedChunk[] = []

/** Somebody who waits for the answer's head. */
interface Waiter<Note> {
  readonly signal: AbortSignal
  readonly resolve: (source: CallResult<Note>) => void
  readonly reject: (cause: unknown) => void
  readonly onAbort: () => void
}

/** One call that several may wait for, made by its register (`flights.ts`). */
export class CoalescedCall<Note> {
  readonly #deps: SingleFlightDeps
  readonly #options: ShareOptions
  readonly #forget: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  readonly #abort = new AbortController()
  readonly #waiting = new Set<Waiter<Note>>()
  #isDeserted = false
  #source: CallResult<Note> | undefined
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

  begin(start: (abort: AbortController) => Promise<CallResult<Note>>): void {
    Promise.try(start, this.#abort)
      .then((source) => this.#onHead(source))
      .catch((cause: unknown) => this.#onFail(cause))
  }

  /** Resolves when it is known whether the whole body is a good one; undefined: it has not come, or that is known. */
  get judged(): Promise<void> | undefined {
    return this.#judged
  }

  join(signal: AbortSignal): Promise<CallResult<Note>> {
    if (this.#source !== undefined) return Promise.resolve(this.#open(this.#source, signal))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#leave(one, signal.reason)
      const one: Waiter<Note> = { signal, resolve, reject, onAbort }
      this.#waiting.add(one)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(one: Waiter<Note>, reason: unknown): void {
    this.#waiting.delete(one)
    one.reject(reason)
    if (this.#waiting.size > 0 || this.#options.runsOn) return
    this.#isDeserted = true
    this.#forget(false, NOTHING)
    this.#abort.abort(reason)
  }

  #onFail(cause: unknown): void {
    this.#forget(false, NOTHING)
    for (const one of this.#takeWaiting()) one.reject(cause)
    this.#onEnd(this.#isDeserted ? 'cancelled' : 'broken', cause)
  }

  #onHead(source: CallResult<Note>): void {
    const { answer, whole } = source
    if (this.#isDeserted) {
      void ignoreRejection(answer.body?.cancel(this.#abort.signal.reason))
      this.#onEnd('cancelled')
      return
    }
    this.#source = source
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
    for (const one of this.#takeWaiting()) {
      try {
        one.resolve(this.#open(source, one.signal))
      } catch (cause) {
        // A head that no response can be made of.
        one.reject(cause)
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
  #open({ answer, ...beside }: CallResult<Note>, signal: AbortSignal): CallResult<Note> {
    const { status, statusText } = answer
    const body = this.#broadcast?.join(signal) ?? null
    return { answer: new Response(body, { status, statusText, headers: new Headers(answer.headers) }), ...beside }
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
    // That keeping it went wrong is no concern of those who read it.
    if (onComplete !== undefined)
      Promise.try(onComplete, answer, chunks, isGood).then(
        () => this.#forget(false, NOTHING),
        () => this.#forget(false, NOTHING),
      )
  }

  #onEnd(end: SourceEnd, cause?: unknown, chunks = NOTHING): void {
    this.#options.onEnd?.(end, cause, chunks)
  }

  #takeWaiting(): readonly Waiter<Note>[] {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { signal, onAbort } of waiting) signal.removeEventListener('abort', onAbort)
    return waiting
  }
}
