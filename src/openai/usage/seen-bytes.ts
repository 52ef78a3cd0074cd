import { SeenText } from './seen-text.ts'

/** Fifteen short events, or less of a page of text, which is what a process that is killed may not have counted. */
const HELD_BYTES = 4096
/** Each byte is one character: it costs a quarter of UTF-8, and the names that are looked for are ASCII. */
const FROM_LATIN = new TextDecoder('latin1')

/**
 * Counts the text in an answer's bytes, several chunks at once: a look at each costs more than keeping it. It is for estimates only, so most of
 * it need not be counted at all: an answer mostly tells its usage.
 *
 * @example
 * const seen = new SeenBytes((bytes) => tally.saw(bytes))
 * tally.beforeTold(seen.count)
 */
export class SeenBytes {
  readonly #onText: (bytes: number) => void
  readonly #seen = new SeenText()
  #held: Uint8Array<ArrayBuffer> | undefined
  #heldBytes = 0

  /** `onText`: is told of bytes of text: at once of those in the first chunk, for an answer has begun with it. */
  constructor(onText: (bytes: number) => void) {
    this.#onText = onText
  }

  /** Takes the next chunk. */
  readonly add = (chunk: Uint8Array): void => {
    if (this.#held === undefined) {
      this.#held = new Uint8Array(HELD_BYTES)
      this.#countIn(chunk)
      return
    }
    if (this.#heldBytes + chunk.byteLength > HELD_BYTES) {
      this.count()
      if (chunk.byteLength > HELD_BYTES) {
        this.#countIn(chunk)
        return
      }
    }
    this.#held.set(chunk, this.#heldBytes)
    this.#heldBytes += chunk.byteLength
  }

  /** Counts what is not counted yet. */
  readonly count = (): void => {
    if (this.#held === undefined || this.#heldBytes === 0) return
    const held = this.#held.subarray(0, this.#heldBytes)
    this.#heldBytes = 0
    this.#countIn(held)
  }

  #countIn(bytes: Uint8Array): void {
    this.#onText(this.#seen.add(FROM_LATIN.decode(bytes)))
  }
}
