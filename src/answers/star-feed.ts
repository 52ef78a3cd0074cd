import { joinBytes } from '../formats/bytes/join-bytes.ts'
import type { Stars } from '../upstream/stars.ts'

/** Hides secrets in a body as it comes. */
export interface Feed {
  /** Takes a chunk, which stays as it is; gives what can go on now, which may be nothing. */
  add(chunk: Uint8Array): Uint8Array
  /** The bytes that have waited for more, which has not come. */
  end(): Uint8Array
  /** Whether there has been a secret. */
  readonly hasHidden: boolean
  /** Whether bytes wait. */
  readonly isOpen: boolean
}

const NOTHING = new Uint8Array()

/**
 * Puts stars over the secrets in a body as it comes, wherever it is cut: of what has come, only the bytes at its end that may be the beginning of
 * a secret wait for the next.
 *
 * @example
 * const feed = new StarFeed(stars)
 * for (const chunk of chunks) write(feed.add(chunk))
 * write(feed.end())
 */
export class StarFeed implements Feed {
  readonly #stars: Stars
  #held: Uint8Array<ArrayBuffer> = NOTHING
  hasHidden = false

  constructor(stars: Stars) {
    this.#stars = stars
  }

  add(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.byteLength === 0 ? (chunk as Uint8Array<ArrayBuffer>) : joinBytes([this.#held, chunk])
    const { shown, openAt } = this.#stars.piece(bytes)
    if (shown !== bytes) this.hasHidden = true
    if (openAt === shown.byteLength) {
      this.#held = NOTHING
      return shown
    }
    // A copy: the chunk may be large.
    this.#held = shown.slice(openAt)
    return shown.subarray(0, openAt)
  }

  get isOpen(): boolean {
    return this.#held.byteLength > 0
  }

  end(): Uint8Array {
    const held = this.#held
    this.#held = NOTHING
    const shown = this.#stars.bytes(held)
    if (shown !== held) this.hasHidden = true
    return shown
  }
}
