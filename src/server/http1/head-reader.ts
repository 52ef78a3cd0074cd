import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { HeadSoFar } from './head-so-far.ts'
import { type RequestHead, readRequestHead } from './request-head.ts'

/** A head that drips is cut: the guard against slowloris. */
const HEAD_MS = 15_000
/** Bytes of requests that are sent ahead of their turn are kept to this extent. */
const AHEAD_BYTES_MAX = 64 * 1024

/** Gathers the bytes of a connection until they hold the head of a request. */
export class HeadReader {
  readonly #deadlines: Deadlines
  readonly #onTooSlow: (error: ApiError) => void
  #held: Buffer | undefined
  #clock: Deadline | undefined
  #soFar: HeadSoFar | undefined

  constructor(deadlines: Deadlines, onTooSlow: (error: ApiError) => void) {
    this.#deadlines = deadlines
    this.#onTooSlow = onTooSlow
  }

  /** Whether bytes of a next request have come. */
  get hasBytes(): boolean {
    return this.#held !== undefined
  }

  /** Keeps bytes that came before their turn; returns whether there is room for more. */
  hold(bytes: Buffer): boolean {
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes])
    return this.#held.byteLength <= AHEAD_BYTES_MAX
  }

  /**
   * Takes bytes, and gives a head with what is behind it once that has come. Throws what `readRequestHead` throws, also
   * of a head whose end has not come, as soon as it can't become one.
   */
  read(bytes: Buffer | undefined): { readonly head: RequestHead; readonly rest: Buffer | undefined } | undefined {
    if (bytes !== undefined && this.#held !== undefined) this.hold(bytes)
    const all = this.#held ?? bytes
    if (all === undefined) return undefined
    const head = readRequestHead(all)
    if (head === undefined) {
      this.#held = all
      this.#soFar ??= new HeadSoFar()
      this.#soFar.check(all)
      this.#clock ??= this.#deadlines.start(HEAD_MS, () => this.#onTooSlow(new ApiError('upload_timeout')))
      return undefined
    }
    this.#held = undefined
    this.#soFar = undefined
    this.stop()
    return { head, rest: head.end < all.byteLength ? all.subarray(head.end) : undefined }
  }

  /** Stops the clock that a head runs against. */
  stop(): void {
    this.#clock?.clear()
    this.#clock = undefined
  }
}
