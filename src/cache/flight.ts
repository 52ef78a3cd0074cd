import { Broadcast } from './broadcast.ts'
import type { TimedChunk } from './cached-answer.ts'

/** An answer, and what whoever delivers it has to know beside it. */
export interface Source<Note> {
  readonly answer: Response
  readonly note: Note
  /** All of its body, where that has been read; the answer is without it then. */
  readonly whole?: Uint8Array<ArrayBuffer>
}

/** How one request takes part in a flight. */
export interface FlightOptions {
  /** Aborted when its client leaves. */
  readonly signal: AbortSignal
  /** Only the leader's counts: the answer is read to its end also when nobody waits for it any more. */
  readonly runsOn: boolean
  /** Only the leader's counts: whether what has come is all of the answer, though its body goes on; absent: it never is. */
  readonly isInFull?: (answer: Response, chunks: readonly TimedChunk[]) => boolean
  /**
   * Only the leader's counts: called once with the whole body, when that has come to its proper end, or is there in full. The flight can be joined
   * until what it returns has settled.
   */
  readonly onComplete?: (answer: Response, chunks: readonly TimedChunk[]) => void | Promise<void>
  /** Only the leader's counts: called once, when the body has broken off; must not throw. */
  readonly onBroken?: (cause: unknown) => void
  /** Only the leader's counts: called once, when the flight can't be joined any more; must not throw. */
  readonly onOver?: () => void
}

/** One request's part in a flight. */
export interface Joined<Note> {
  /** The leader is the one whose request started it. */
  readonly role: 'leader' | 'follower'
  /** An answer of its own, with its own headers and the whole body. */
  readonly answer: Promise<Source<Note>>
}

/** Identical requests that are under way, each as one call. */
export interface Flights<Note> {
  /**
   * Joins the flight of a key, or begins it with `start`. A call that fails fails for all who wait for it, with one error. It
   * is made for none of them in particular: `start` gets a controller of the flight's own, which is aborted when all have left,
   * and with which it may give the call up by itself.
   */
  join(key: string, start: (abort: AbortController) => Promise<Source<Note>>, options: FlightOptions): Joined<Note>
  /** How many keys can be joined now. */
  readonly size: number
  /** Resolves when there is none. */
  idle(): Promise<void>
}

/** What all flights share. */
export interface FlightsDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** A body that is larger can't be joined beyond that point, and is not kept. */
  readonly keptBytesMax: number
}

/**
 * Makes the register of flights; a finished one is forgotten at once.
 *
 * @example
 * const flights = createFlights<Lane>({ now: () => performance.now(), keptBytesMax: 8 * MIB })
 * const { role, answer } = flights.join(key, start, { signal: exchange.abort.signal, runsOn: false })
 */
export function createFlights<Note>(deps: FlightsDeps): Flights<Note> {
  const flights = new Map<string, Flight<Note>>()
  const idle: (() => void)[] = []
  return {
    join(key, start, options) {
      const { signal } = options
      if (signal.aborted) return { role: 'follower', answer: Promise.reject(signal.reason) }
      const known = flights.get(key)
      if (known !== undefined) return { role: 'follower', answer: known.join(signal) }
      const flight = new Flight<Note>(deps, options, () => {
        if (flights.get(key) !== flight) return
        flights.delete(key)
        options.onOver?.()
        if (flights.size === 0) for (const resolve of idle.splice(0)) resolve()
      })
      flights.set(key, flight)
      const answer = flight.join(signal)
      flight.begin(start)
      return { role: 'leader', answer }
    },
    get size() {
      return flights.size
    },
    idle: () => (flights.size === 0 ? Promise.resolve() : new Promise((resolve) => void idle.push(resolve))),
  }
}

/** Somebody who waits for the answer's head. */
interface Waiting<Note> {
  readonly signal: AbortSignal
  readonly resolve: (source: Source<Note>) => void
  readonly reject: (cause: unknown) => void
  readonly onAbort: () => void
}

class Flight<Note> {
  readonly #deps: FlightsDeps
  readonly #options: FlightOptions
  readonly #forget: () => void
  readonly #abort = new AbortController()
  readonly #waiting = new Set<Waiting<Note>>()
  #isDeserted = false
  #source: Source<Note> | undefined
  /** undefined: the head has not come, or the answer has no body. */
  #broadcast: Broadcast | undefined

  constructor(deps: FlightsDeps, options: FlightOptions, forget: () => void) {
    this.#deps = deps
    this.#options = options
    this.#forget = forget
  }

  begin(start: (abort: AbortController) => Promise<Source<Note>>): void {
    Promise.try(start, this.#abort)
      .then((source) => this.#onHead(source))
      .catch((cause: unknown) => this.#onFail(cause))
  }

  join(signal: AbortSignal): Promise<Source<Note>> {
    if (this.#source !== undefined) return Promise.resolve(this.#open(this.#source, signal))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#leave(one, signal.reason)
      const one: Waiting<Note> = { signal, resolve, reject, onAbort }
      this.#waiting.add(one)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(one: Waiting<Note>, reason: unknown): void {
    this.#waiting.delete(one)
    one.reject(reason)
    if (this.#waiting.size > 0 || this.#options.runsOn) return
    this.#isDeserted = true
    this.#forget()
    this.#abort.abort(reason)
  }

  #onFail(cause: unknown): void {
    this.#forget()
    for (const one of this.#takeWaiting()) one.reject(cause)
  }

  #onHead(source: Source<Note>): void {
    const { answer, whole } = source
    if (this.#isDeserted) {
      answer.body?.cancel(this.#abort.signal.reason).catch(() => undefined)
      return
    }
    this.#source = source
    if (whole === undefined && answer.body !== null) {
      this.#broadcast = new Broadcast(answer.body, {
        ...this.#deps,
        runsOn: this.#options.runsOn,
        isInFull: (chunks) => this.#options.isInFull?.(answer, chunks) === true,
        onComplete: (chunks) => this.#onComplete(answer, chunks),
        onBroken: (cause) => this.#options.onBroken?.(cause),
        onClosed: this.#forget,
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
    if (this.#broadcast === undefined) this.#onComplete(answer, whole === undefined ? [] : [{ bytes: whole, atMs: 0 }])
    else this.#broadcast.settle(undefined)
  }

  /** The answer for one more reader. */
  #open({ answer, ...beside }: Source<Note>, signal: AbortSignal): Source<Note> {
    const { status, statusText } = answer
    const body = this.#broadcast?.join(signal) ?? null
    return { answer: new Response(body, { status, statusText, headers: new Headers(answer.headers) }), ...beside }
  }

  #onComplete(answer: Response, chunks: readonly TimedChunk[]): void {
    const { onComplete } = this.#options
    // That keeping it went wrong is no concern of those who read it.
    if (onComplete !== undefined) Promise.try(onComplete, answer, chunks).then(this.#forget, this.#forget)
    else this.#forget()
  }

  #takeWaiting(): readonly Waiting<Note>[] {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { signal, onAbort } of waiting) signal.removeEventListener('abort', onAbort)
    return waiting
  }
}
