import { joinBytes } from '../formats/bytes/join-bytes.ts'
import type { Mask } from '../upstream/mask.ts'

/** Masks the secrets in a body as it comes. */
export interface BodyMask {
  /** Takes a chunk, and does not write into it. Gives the bytes that can go on now, maybe none. */
  add(chunk: Uint8Array): Uint8Array
  /** Ends the body. Gives the bytes that were still waiting. */
  end(): Uint8Array
  /** Whether the body had a secret. */
  readonly hasHidden: boolean
  /** Whether bytes are waiting. */
  readonly isOpen: boolean
}

const NOTHING = new Uint8Array()

/**
 * Masks every secret in a body, wherever the body is cut: only bytes at the end of a chunk that may be the beginning of a secret wait.
 *
 * @example
 * const body = new FullMask(mask)
 * for (const chunk of chunks) write(body.add(chunk))
 * write(body.end())
 */
export class FullMask implements BodyMask {
  readonly #mask: Mask
  #held: Uint8Array<ArrayBuffer> = NOTHING
  hasHidden = false

  constructor(mask: Mask) {
    this.#mask = mask
  }

  add(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.byteLength === 0 ? (chunk as Uint8Array<ArrayBuffer>) : joinBytes([this.#held, chunk])
    const { shown, openAt } = this.#mask.piece(bytes)
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
    const shown = this.#mask.bytes(held)
    if (shown !== held) this.hasHidden = true
    return shown
  }
}
