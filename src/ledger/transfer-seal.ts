/** The last line of an export: how many lines came before it, and a digest of them. */
export interface TransferEnd {
  readonly lines: number
  /** In hex: SHA-256 of the digest so far and the next lines, part by part. */
  readonly sha256: string
}

/** How many lines are digested at once: Web Crypto has no digest that goes on. */
const PART_LINES = 1_000

/**
 * Adds up the lines of an export, so that one that was cut off or changed is known.
 *
 * @example
 * const seal = new TransferSeal()
 * await seal.add(line)
 * await seal.end() // { lines: 1, sha256: '…' }
 */
export class TransferSeal {
  readonly #encoder = new TextEncoder()
  #waiting: string[] = []
  #lines = 0
  #sha256 = ''

  /** Adds a line, without its end. */
  add(line: string): Promise<void> | undefined {
    this.#lines += 1
    this.#waiting.push(line)
    return this.#waiting.length < PART_LINES ? undefined : this.#digest()
  }

  /** The seal of all lines so far. */
  async end(): Promise<TransferEnd> {
    await this.#digest()
    return { lines: this.#lines, sha256: this.#sha256 }
  }

  async #digest(): Promise<void> {
    const text = `${this.#sha256}\n${this.#waiting.splice(0).join('\n')}`
    const digest = await crypto.subtle.digest('SHA-256', this.#encoder.encode(text))
    this.#sha256 = new Uint8Array(digest).toHex()
  }
}
