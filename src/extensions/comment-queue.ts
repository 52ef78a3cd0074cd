/** Of what nobody takes, as many bytes wait; then whoever reads the source waits, or it is dropped where nobody will take it. */
const WAITING_BYTES_MAX = 64 * 1024
/** As many of them, too: thousands of short ones are taken in one turn of the event loop. */
const WAITING_MAX = 1024

/**
 * What a stream says between its events, such as a comment that keeps its connection alive, on its way past the extension that
 * reads the events: a reader puts it here, and the stream that the extension makes of them takes it out, in its place.
 */
export class CommentQueue {
  #waiting: Uint8Array[] = []
  /** Which is the oldest: to take it out of the list would move all others. */
  #oldest = 0
  #bytes = 0
  #isTaken = false
  #isClosed = false
  #arrival: PromiseWithResolvers<void> | undefined
  #room: PromiseWithResolvers<void> | undefined

  /** A stream takes them from now on. false: one does already. */
  claim(): boolean {
    if (this.#isTaken) return false
    this.#isTaken = true
    return true
  }

  /** Adds one. Resolves when there is room for the next; undefined: there is. */
  put(aside: Uint8Array): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    if (this.#isFull && !this.#isTaken) return undefined
    this.#waiting.push(aside)
    this.#bytes += aside.byteLength
    this.#arrival?.resolve()
    this.#arrival = undefined
    if (!this.#isTaken || !this.#isFull) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Takes the oldest. */
  take(): Uint8Array | undefined {
    const aside = this.#waiting[this.#oldest]
    if (aside === undefined) return undefined
    this.#oldest += 1
    this.#bytes -= aside.byteLength
    if (this.#count === 0) this.#clear()
    else if (this.#oldest > WAITING_MAX) {
      this.#waiting.splice(0, this.#oldest)
      this.#oldest = 0
    }
    if (!this.#isFull) this.#makeRoom()
    return aside
  }

  /** Resolves when there is one to take; only the last promise that was given does. */
  arrived(): Promise<void> {
    if (this.#count > 0) return Promise.resolve()
    // A new one each time: what is raced with it for every event would else be kept by it until a comment comes.
    this.#arrival = Promise.withResolvers()
    return this.#arrival.promise
  }

  /** Nobody takes any more of them. */
  close(): void {
    this.#isClosed = true
    this.#clear()
    this.#makeRoom()
  }

  get #count(): number {
    return this.#waiting.length - this.#oldest
  }

  get #isFull(): boolean {
    return this.#bytes > WAITING_BYTES_MAX || this.#count > WAITING_MAX
  }

  #clear(): void {
    this.#waiting = []
    this.#oldest = 0
  }

  #makeRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
