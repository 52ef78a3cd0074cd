import type { Exchange, IncomingBody } from '../exchange/exchange.ts'
import type { Held } from '../exchange/memory-budget.ts'
import type { ChainDeps } from './chain-deps.ts'

/** What is as long, or less, is not counted, as everywhere. */
const UNCOUNTED_BYTES_MAX = 64 * 1024

/** Counts what is kept of bodies for the extensions of one request, until its exchange ends. */
export class BodyMemory {
  readonly #exchange: Pick<Exchange, 'atEnd'>
  readonly #deps: Pick<ChainDeps, 'memory' | 'readBytes'>
  #held: Held | undefined
  #bytes = 0

  constructor(exchange: Pick<Exchange, 'atEnd'>, deps: Pick<ChainDeps, 'memory' | 'readBytes'>) {
    this.#exchange = exchange
    this.#deps = deps
  }

  /** So many bytes more are kept. Throws `memory_full`. */
  add(bytes: number): void {
    const before = this.#bytes
    this.#bytes += bytes
    if (this.#bytes <= UNCOUNTED_BYTES_MAX) return
    this.#held ??= this.#deps.memory.hold(this.#exchange)
    try {
      this.#held.add(before <= UNCOUNTED_BYTES_MAX ? this.#bytes : bytes)
    } catch (refusal) {
      this.#bytes = before
      throw refusal
    }
  }

  /** Takes so many bytes more, where there is memory for them. */
  mayAdd(bytes: number): boolean {
    try {
      this.add(bytes)
      return true
    } catch {
      return false
    }
  }

  /** Reads all of a body with such headers, counted as it comes. */
  readWhole(body: IncomingBody, headers: Headers): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (body.isCounted === true) return body.whole()
    if (body.isComplete) {
      const whole = body.whole()
      if (!(whole instanceof Uint8Array)) return whole
      this.add(whole.byteLength)
      return whole
    }
    const atEnd: Exchange['atEnd'] = (release) => this.#exchange.atEnd(release)
    return this.#deps.readBytes({ headers, body, atEnd })
  }
}
