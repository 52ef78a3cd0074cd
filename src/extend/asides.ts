/** Of what nobody takes, as many bytes wait; then whoever reads the source waits, or it is dropped where nobody will take it. */
const WAITING_BYTES_MAX = 64 * 1024

/**
 * What a stream says between its events, such as a comment that keeps its connection alive, on its way past the extension that
 * reads the events: a reader puts it here, and the stream that the extension makes of them takes it out, in its place.
 */
export class Asides {
  #waiting: Uint8Array[] = []
  #bytes = 0
  #isTaken = false
  #isClosed = false
  #arrival: PromiseWithResolvers<void> | undefined
  #room: PromiseWithResolvers<void> | undefined

  /** A stream takes them from now on. false: one does already. */
  follow(): boolean {
    if (this.#isTaken) return false
    this.#isTaken = true
    return true
  }

  /** Adds one. Resolves when there is room for the next; undefined: there is. */
  put(aside: Uint8Array): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    if (this.#bytes > WAITING_BYTES_MAX && !this.#isTaken) return undefined
    this.#waiting.push(aside)
    this.#bytes += aside.byteLength
    this.#arrival?.resolve()
    this.#arrival = undefined
    if (!this.#isTaken || this.#bytes <= WAITING_BYTES_MAX) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Takes the oldest. */
  take(): Uint8Array | undefined {
    const aside = this.#waiting.shift()
    this.#bytes -= aside?.byteLength ?? 0
    if (this.#bytes <= WAITING_BYTES_MAX) this.#makeRoom()
    return aside
  }

  /** Resolves when there is one to take; only the last promise that was given does. */
  arrived(): Promise<void> {
    if (this.#waiting.length > 0) return Promise.resolve()
    // A new one each time: what is raced with it for every event would else be kept by it until a comment comes.
    this.#arrival = Promise.withResolvers()
    return this.#arrival.promise
  }

  /** Nobody takes any more of them. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#makeRoom()
  }

  #makeRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
