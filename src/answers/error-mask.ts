import { GatheredBytes } from '../formats/bytes/gathered-bytes.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import type { Mask } from '../upstream/mask.ts'
import type { BodyMask } from './body-mask.ts'
import { endsUnit, isErrorUnit, type UnitKind, unitEnds } from './error-units.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** No error is longer. */
const ERROR_BYTES_MAX = 64 * 1024
const NOTHING = new Uint8Array()

/**
 * Masks the secrets in those units of a good answer that report a failure, and nothing else. A unit is an event of a stream, a line, or
 * the whole answer.
 *
 * Chunks go on as they come. Bytes that may be the beginning of a secret wait for the next chunk. From a secret on, everything waits until
 * its unit is complete and can be judged, or is too long for an error.
 *
 * @example
 * const body = new ErrorMask(mask, 'events')
 */
export class ErrorMask implements BodyMask {
  readonly #mask: Mask
  readonly #kind: UnitKind
  /** The part of the present unit that has gone on. */
  #before = new GatheredBytes()
  readonly #held = new GatheredBytes()
  /** Whether the held bytes begin with a secret. */
  #hasSecret = false
  /** The last held bytes: the end of a unit may come in two chunks. */
  #last: Bytes = NOTHING
  /** Whether the answer is one unit and too long for an error. */
  #isOver = false
  hasHidden = false

  constructor(mask: Mask, kind: UnitKind) {
    this.#mask = mask
    this.#kind = kind
  }

  get isOpen(): boolean {
    return this.#held.byteLength > 0
  }

  add(chunk: Uint8Array): Uint8Array {
    if (this.#isOver) return chunk
    if (this.#hasSecret && !this.#maySettle(chunk)) {
      this.#held.add(chunk as Bytes)
      return NOTHING
    }
    const bytes = this.isOpen ? joinBytes([...this.#held.take(), chunk]) : (chunk as Bytes)
    this.#hasSecret = false
    const { secretAt, openAt } = this.#mask.places(bytes)
    return secretAt === -1 ? this.#goOn(bytes, openAt) : this.#settle(bytes, secretAt)
  }

  end(): Uint8Array {
    if (!this.isOpen) return NOTHING
    const held = joinBytes(this.#held.take())
    const before = joinBytes(this.#before.take())
    return this.#shown(joinBytes([before, held])).subarray(before.byteLength)
  }

  /** Lets bytes without a secret go on, except those that may be the beginning of one. */
  #goOn(bytes: Bytes, openAt: number): Bytes {
    const shown = openAt === bytes.byteLength ? bytes : bytes.subarray(0, openAt)
    if (shown !== bytes) this.#held.add(bytes.slice(openAt))
    else if (endsUnit(bytes, this.#kind)) {
      if (this.#before.byteLength > 0) this.#before.take()
      return shown
    }
    this.#before.add(shown)
    if (this.#before.byteLength > ERROR_BYTES_MAX) this.#giveUp()
    return shown
  }

  /** The present unit is too long for an error. */
  #giveUp(): void {
    this.#before.take()
    this.#isOver = this.#kind === 'whole'
  }

  /** Whether a chunk behind a secret allows a decision about its unit. */
  #maySettle(chunk: Uint8Array): boolean {
    const ends = unitEnds(joinBytes([this.#last, chunk]), this.#kind)
    this.#last = lastOf(chunk, this.#last)
    return ends.length > 0 || this.#before.byteLength + this.#held.byteLength + chunk.byteLength > ERROR_BYTES_MAX
  }

  /** Judges the complete units of bytes whose first secret begins at `secretAt`; the rest waits. */
  #settle(bytes: Bytes, secretAt: number): Uint8Array {
    const before = joinBytes(this.#before.take())
    const all = joinBytes([before, bytes])
    const shown: Uint8Array[] = []
    let at = 0
    for (const end of unitEnds(all, this.#kind)) {
      shown.push(this.#shown(all.subarray(at, end)))
      at = end
    }
    // The bytes behind the last complete unit came with this chunk.
    if (at > before.byteLength)
      return joinBytes([joinBytes(shown).subarray(before.byteLength), this.add(all.subarray(at))])
    if (all.byteLength - at > ERROR_BYTES_MAX) {
      this.#giveUp()
      return bytes
    }
    const free = before.byteLength + secretAt
    this.#before.add(all.slice(at, free))
    this.#held.add(all.slice(free))
    this.#hasSecret = true
    this.#last = lastOf(all, NOTHING)
    return bytes.subarray(0, secretAt)
  }

  #shown(unit: Bytes): Bytes {
    const masked = this.#mask.bytes(unit)
    if (masked === unit || !isErrorUnit(unit, this.#kind)) return unit
    this.hasHidden = true
    return masked
  }
}

/** The last three bytes of two chunks: one less than the longest end of a unit. */
function lastOf(chunk: Uint8Array, before: Uint8Array): Bytes {
  return (chunk.byteLength >= 3 ? chunk : joinBytes([before, chunk])).slice(-3) as Bytes
}
