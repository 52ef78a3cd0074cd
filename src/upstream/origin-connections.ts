import { isProvidersOwn } from './providers.ts'

/** The state of the kept connections to one origin: the runtime has the pool, and tells nothing of it. */
export interface OriginConnections {
  /** Whether a kept connection may be used now: else the call needs a new one. */
  isTrusted(): boolean
  /** Whether a connection may be a kept one: an answer has come, and since then no connection was found dead. */
  mayBeKept(): boolean
  /** Notes an answer, on a connection that is kept or on one of its own. */
  onAnswer(status: number, isKept: boolean): void
  /**
   * Notes an answer without a body on a connection that is kept. Bytes that a server sends behind it all the same would be the
   * answer to the next call on the connection, which the runtime reuses as soon as the head has come. A call that is sent before this
   * may have got it by then.
   */
  onBodiless(): void
  /** Notes that a connection which may have been a kept one was dead: the others may be dead, too. */
  onStale(): void
}

/**
 * Servers that raise on a request (uvicorn, below most model servers) answer it with a 500 as if the connection lived, and close
 * it a moment later: the next call on it gets a reset.
 */
const DOUBT_MS = 1000
/** The runtime drops a kept connection that nobody has used for five minutes. */
const LET_GO_MS = 360_000
/**
 * An operator's own server closes idle connections, uvicorn and Node after 5 s, others after 2 s, and a call at that very moment gets
 * a reset. A new connection there costs less than a millisecond; TLS costs more.
 */
const IDLE_MS = 1500

/**
 * Makes the function that finds the connections of a URL's origin. URLs are looked up by identity first: those of a target are one object.
 *
 * Connections to the providers' own public servers are always trusted: the servers in front of those keep them for minutes.
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
