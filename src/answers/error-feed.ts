import { GatheredBytes } from '../formats/bytes/gathered-bytes.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import type { Stars } from '../upstream/stars.ts'
import { endsUnit, isErrorUnit, type UnitKind, unitEnds } from './error-units.ts'
import type { Feed } from './star-feed.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** No error is longer. */
const ERROR_BYTES_MAX = 64 * 1024
const NOTHING = new Uint8Array()

/**
 * Puts stars over the secrets in those units of a good answer that report a failure, and over nothing else: events of a stream, lines, or
 * all of an answer.
 *
 * Chunks go on as they come. What may be the beginning of a secret waits for the next; from a secret on, all waits until its unit is there
 * in full and can be judged, or is too long for an error.
 *
 * @example
 * const feed = new ErrorFeed(stars, 'events')
 */
export class ErrorFeed implements Feed {
  readonly #stars: Stars
  readonly #kind: UnitKind
  /** What has gone on since a unit ended: a part of the one that is under way. */
  #before = new GatheredBytes()
  readonly #held = new GatheredBytes()
  /** What is held begins with a secret. */
  #hasSecret = false
  /** The last of what is held, so that its unit's end is seen where that comes in two chunks. */
  #last: Bytes = NOTHING
  /** The whole answer is too long for an error. */
  #isOver = false
  hasHidden = false

  constructor(stars: Stars, kind: UnitKind) {
    this.#stars = stars
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
    const { secretAt, openAt } = this.#stars.places(bytes)
    return secretAt === -1 ? this.#goOn(bytes, openAt) : this.#settle(bytes, secretAt)
  }

  end(): Uint8Array {
    if (!this.isOpen) return NOTHING
    const held = joinBytes(this.#held.take())
    const before = joinBytes(this.#before.take())
    return this.#shown(joinBytes([before, held])).subarray(before.byteLength)
  }

  /** There is no secret in it: lets it go on, but what may be the beginning of one. */
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

  /** What has come of a unit is too long for an error. */
  #giveUp(): void {
    this.#before.take()
    this.#isOver = this.#kind === 'whole'
  }

  /** Whether there is something to be decided on once a chunk has come behind a secret. */
  #maySettle(chunk: Uint8Array): boolean {
    const ends = unitEnds(joinBytes([this.#last, chunk]), this.#kind)
    this.#last = lastOf(chunk, this.#last)
    return ends.length > 0 || this.#before.byteLength + this.#held.byteLength + chunk.byteLength > ERROR_BYTES_MAX
  }

  /** Judges what units are there in full; the rest of bytes with a secret in them, which begins at `secretAt`, waits. */
  #settle(bytes: Bytes, secretAt: number): Uint8Array {
    const before = joinBytes(this.#before.take())
    const all = joinBytes([before, bytes])
    const shown: Uint8Array[] = []
    let at = 0
    for (const end of unitEnds(all, this.#kind)) {
      shown.push(this.#shown(all.subarray(at, end)))
      at = end
    }
    // What is behind the last of them has come just now.
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
    const starred = this.#stars.bytes(unit)
    if (starred === unit || !isErrorUnit(unit, this.#kind)) return unit
    this.hasHidden = true
    return starred
  }
}

/** The last bytes of two that follow each other, as many as end a unit but for one. */
function lastOf(chunk: Uint8Array, before: Uint8Array): Bytes {
  return (chunk.byteLength >= 3 ? chunk : joinBytes([before, chunk])).slice(-3) as Bytes
}
