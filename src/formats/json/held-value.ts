import { joinBytes } from '../bytes/join-bytes.ts'
import type { Json } from './json.ts'

const FROM_BYTES = new TextDecoder()

/** Holds the bytes of one value of a JSON text that comes in chunks, up to a bound. */
export class HeldValue {
  /** undefined: no value is held. */
  #parts: Uint8Array[] | undefined
  #bytes = 0
  #bytesMax = 0
  #isString = false
  /** Where it begins, or goes on, in the current chunk. */
  #from = 0

  /** Whether a value has begun. */
  get isOpen(): boolean {
    return this.#parts !== undefined
  }

  /** Begins a value at a place in the current chunk. */
  begin(at: number, isString: boolean, bytesMax: number): void {
    this.#parts = []
    this.#bytes = 0
    this.#bytesMax = bytesMax
    this.#isString = isString
    this.#from = at
  }

  /** Copies what the current chunk, which is over, has of the value. The next chunk goes on with it. */
  leave(chunk: Uint8Array): void {
    this.#copy(chunk, chunk.byteLength)
    this.#from = 0
  }

  /** Ends the value before a place in the chunk, and gives it; undefined: it is none of JSON, or too long. A string that is too long is an empty one. */
  end(chunk: Uint8Array, end: number): Json | undefined {
    this.#copy(chunk, end)
    const parts = this.#parts
    this.#parts = undefined
    if (parts === undefined) return undefined
    if (this.#bytes > this.#bytesMax) return this.#isString ? '' : undefined
    try {
      return JSON.parse(FROM_BYTES.decode(joinBytes(parts))) as Json
    } catch {
      return undefined
    }
  }

  #copy(chunk: Uint8Array, end: number): void {
    if (this.#parts === undefined) return
    this.#bytes += end - this.#from
    if (this.#bytes <= this.#bytesMax) this.#parts.push(chunk.slice(this.#from, end))
    else this.#parts = []
  }
}
