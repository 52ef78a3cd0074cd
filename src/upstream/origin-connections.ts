import { isProvidersOwn } from './providers.ts'

/** What is known of the kept connections to one origin: the runtime has the pool, and tells nothing of it. */
export interface OriginConnections {
  /** Whether a kept connection may be used now: else a new one is to be had. */
  isTrusted(): boolean
  /** Whether a connection may be one that was kept: an answer has come, and since then none was found dead. */
  mayBeKept(): boolean
  /** An answer has come, on a connection that is kept or on one of its own. */
  onAnswer(status: number, isKept: boolean): void
  /**
   * An answer that ends with its head has come on a connection that is kept. What a server sends behind it all the same would be the
   * answer to whoever is given the connection next, which the runtime does as soon as the head is there. A call that is sent before this one
   * is told of may have got it by then.
   */
  onBodiless(): void
  /** A connection that may have been a kept one was dead: so may the others be. */
  onStale(): void
}

/**
 * Servers that raise on a request (uvicorn, below most model servers) answer it with a 500 as if the connection lived, and close
 * it a moment later: whoever is given it meanwhile gets a reset.
 */
const DOUBT_MS = 1000
/** The runtime lets go of a kept connection that nobody has used for five minutes. */
const LET_GO_MS = 360_000
/**
 * A server of one's own closes what was idle, uvicorn and Node after 5 s, others after 2 s, and who sends at that very moment gets
 * a reset. A new connection there costs less than a millisecond; TLS costs more.
 */
const IDLE_MS = 1500

/**
 * Makes what finds the connections of a URL's origin. URLs are looked up by identity first: those of a target are one object.
 *
 * Connections to the providers' own public servers are always trusted: what stands before those keeps them for minutes.
 *
 * @param now A monotonic clock, in ms.
 *
 * @example
 * const connectionsOf = createOriginConnections(() => performance.now())
 * const keepalive = connectionsOf(url).isTrusted()
 */
export function createOriginConnections(now: () => number): (url: URL) => OriginConnections {
  const byOrigin = new Map<string, OriginConnections>()
  const byUrl = new WeakMap<URL, OriginConnections>()
  return (url) => {
    const known = byUrl.get(url)
    if (known !== undefined) return known
    const { origin } = url
    const found = byOrigin.get(origin) ?? new Origin(url, now)
    byOrigin.set(origin, found)
    byUrl.set(url, found)
    return found
  }
}

class Origin implements OriginConnections {
  readonly #now: () => number
  readonly #doubtMs: number
  readonly #idleMs: number
  #mayBeKept = false
  #answeredAt: number
  #doubtedUntil = 0

  constructor(url: URL, now: () => number) {
    this.#now = now
    this.#answeredAt = now()
    this.#doubtMs = isProvidersOwn(url) ? 0 : DOUBT_MS
    this.#idleMs = url.protocol === 'http:' ? IDLE_MS : Number.POSITIVE_INFINITY
  }

  isTrusted(): boolean {
    const at = this.#now()
    return at >= this.#doubtedUntil && at - this.#answeredAt < this.#idleMs
  }

  mayBeKept(): boolean {
    return this.#mayBeKept
  }

  onAnswer(status: number, isKept: boolean): void {
    if (isKept) this.#mayBeKept = true
    this.#answeredAt = this.#now()
    if (status >= 500) this.#doubt(this.#doubtMs)
  }

  onBodiless(): void {
    this.#mayBeKept = false
    this.#doubt(LET_GO_MS)
  }

  onStale(): void {
    this.#mayBeKept = false
    this.#doubt(this.#doubtMs)
  }

  #doubt(forMs: number): void {
    this.#doubtedUntil = Math.max(this.#doubtedUntil, this.#now() + forMs)
  }
}
