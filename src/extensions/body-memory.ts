import type { IncomingBody } from '../exchange/arrival.ts'
import { type ReadLimits, UNCOUNTED_BYTES_MAX } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Held } from '../exchange/memory-budget.ts'
import { readBytes } from '../requests/read-bytes.ts'

/** Counts the memory that bodies take for the extensions of one request. It is given back when the exchange ends. */
export class BodyMemory {
  readonly #exchange: Pick<Exchange, 'atEnd'>
  readonly #limits: ReadLimits
  #held: Held | undefined
  #bytes = 0

  constructor(exchange: Pick<Exchange, 'atEnd'>, limits: ReadLimits) {
    this.#exchange = exchange
    this.#limits = limits
  }

  /** Counts more bytes. Throws `memory_full` where they do not fit. */
  add(bytes: number): void {
    const before = this.#bytes
    this.#bytes += bytes
    if (this.#bytes <= UNCOUNTED_BYTES_MAX) return
    this.#held ??= this.#limits.memory.hold(this.#exchange)
    try {
      this.#held.add(before <= UNCOUNTED_BYTES_MAX ? this.#bytes : bytes)
    } catch (refusal) {
      this.#bytes = before
      throw refusal
    }
  }

  /** Counts more bytes where they fit; false: they do not. */
  mayAdd(bytes: number): boolean {
    try {
      this.add(bytes)
      return true
    } catch {
      return false
    }
  }

  /** Reads a whole body, and counts it as it comes; `headers` tell its length. */
  readWhole(body: IncomingBody, headers: Headers): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (body.isCounted === true) return body.whole()
    if (body.isComplete) {
      // Counted before it is read: a body gives its bytes once, and a refusal must not lose them.
      this.add(body.length ?? 0)
      return body.whole()
    }
    const atEnd: Exchange['atEnd'] = (release) => this.#exchange.atEnd(release)
    return readBytes({ request: { headers }, body, atEnd }, this.#limits)
  }
}
