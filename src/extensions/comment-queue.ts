/** The most bytes that the queue holds. Beyond it the writer waits, or drops comments if no stream will ever take them. */
const WAITING_BYTES_MAX = 64 * 1024
/** How many comments it holds: thousands of short ones would be taken in one turn of the event loop. */
const WAITING_MAX = 1024

/**
 * Carries the parts of a stream that are no events, such as a comment that keeps the connection alive, past the extension that
 * reads the events: the event reader puts them in, and the stream that the extension makes takes them out in their place.
 */
export class CommentQueue {
  #waiting: Uint8Array[] = []
  /** The index of the oldest comment: removing it from the list would move all others. */
  #oldest = 0
  #bytes = 0
  #isClaimed = false
  #isClosed = false
  #arrival: PromiseWithResolvers<void> | undefined
  #room: PromiseWithResolvers<void> | undefined

  /** Makes the caller the one stream that takes comments; false: another stream is. */
  claim(): boolean {
    if (this.#isClaimed) return false
    this.#isClaimed = true
    return true
  }

  /** Adds a comment. Resolves when there is room for the next one; undefined: there is. */
  put(comment: Uint8Array): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    if (this.#isFull && !this.#isClaimed) return undefined
    this.#waiting.push(comment)
    this.#bytes += comment.byteLength
    this.#arrival?.resolve()
    this.#arrival = undefined
    if (!this.#isClaimed || !this.#isFull) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Takes the oldest comment; undefined: there is none. */
  take(): Uint8Array | undefined {
    const comment = this.#waiting[this.#oldest]
    if (comment === undefined) return undefined
    this.#oldest += 1
    this.#bytes -= comment.byteLength
    if (this.#count === 0) this.#clear()
    else if (this.#oldest > WAITING_MAX) {
      this.#waiting.splice(0, this.#oldest)
      this.#oldest = 0
    }
    if (!this.#isFull) this.#makeRoom()
    return comment
  }

  /** Resolves when there is a comment to take. Only the promise that was given last resolves. */
  arrived(): Promise<void> {
    if (this.#count > 0) return Promise.resolve()
    // A new promise each time: one that lives until a comment comes would hold on to everything that has been raced with it.
    this.#arrival = Promise.withResolvers()
    return this.#arrival.promise
  }

  /** Ends the queue: nobody takes comments any more. */
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
