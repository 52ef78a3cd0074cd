import type { Duplex } from 'node:stream'
import type { Deadline } from '../../timing/deadlines.ts'

/** The flow of bytes from one socket to another. */
export interface Flow {
  /** Bytes taken from the source so far. */
  readonly bytes: number
  /** Ends the destination when all bytes that were taken have been written; the source's own end does so too. */
  readonly finish: () => void
}

/**
 * The most that is written at a time: a destination that takes this much within the stall limit is slow, not stalled, however
 * large the source's chunk was.
 */
const SLICE_BYTES = 64 * 1024

/** Changes bytes on their way; may hold some back until more come. */
export interface ByteFilter {
  add(chunk: Uint8Array): Uint8Array
  /** Gives the bytes that were held back. */
  end(): Uint8Array
  /** Is set by the one who pours: takes bytes that go on without a chunk. */
  onBytes?: ((bytes: Uint8Array) => void) | undefined
  /** Whether bytes wait for something else than more bytes, so that the source is not read, nor the destination ended. `onBytes` follows. */
  readonly isWaiting?: boolean
  /** Whether nothing goes on any more: the destination is ended. */
  readonly isOver?: boolean
}

const NOTHING = new Uint8Array()

/**
 * Pours the bytes of one socket into another, never ahead of the destination.
 *
 * `first` goes before the source's own bytes. `filter` may replace bytes by as many others, leave some out, or add some. `stall` runs only
 * while the destination takes nothing.
 *
 * @example
 * const flow = pour(upstream, client, rest, deadlines.start(idleMs, cut))
 */
export function pour(from: Duplex, to: Duplex, first: Uint8Array, stall: Deadline, filter?: ByteFilter): Flow {
  return new Pouring(from, to, stall, filter).begin(first)
}

class Pouring implements Flow {
  bytes = 0
  readonly #from: Duplex
  readonly #to: Duplex
  readonly #stall: Deadline
  readonly #filter: ByteFilter | undefined
  #held: Uint8Array = NOTHING
  #isFull = false
  /** Whether the destination is to be ended as soon as nothing waits, and whether it is being ended. */
  #isFinishDue = false
  #isFinishing = false

  constructor(from: Duplex, to: Duplex, stall: Deadline, filter: ByteFilter | undefined) {
    this.#from = from
    this.#to = to
    this.#stall = stall
    this.#filter = filter
  }

  begin(first: Uint8Array): this {
    const [from, to, stall, filter] = [this.#from, this.#to, this.#stall, this.#filter]
    stall.suspend()
    to.on('drain', () => {
      this.#isFull = false
      stall.suspend()
      this.#write()
      this.#resume()
    })
    to.on('finish', () => stall.clear())
    to.on('close', () => {
      stall.clear()
      this.#isFull = false
      this.#held = NOTHING
      from.resume()
    })
    from.on('end', () => this.finish())
    if (filter !== undefined) {
      filter.onBytes = (more) => {
        if (to.writable) this.#pass(more)
        this.#heed(filter)
        this.#resume()
      }
    }
    this.#take(first)
    from.on('data', (chunk: Uint8Array) => this.#take(chunk))
    this.#resume()
    return this
  }

  finish(): void {
    if (this.#isFinishing) return
    this.#isFinishDue = true
    const [to, filter] = [this.#to, this.#filter]
    if (filter?.isWaiting === true && to.writable) return
    const rest = filter?.end()
    if (rest !== undefined && to.writable) this.#pass(rest)
    this.#isFinishing = true
    if (!this.#isFull) this.#end()
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength
    // Nobody takes the bytes any more; the source is still read, so that its end is seen.
    if (!this.#to.writable) return
    const filter = this.#filter
    this.#pass(filter === undefined ? chunk : filter.add(chunk))
    if (filter !== undefined) this.#heed(filter)
  }

  #pass(more: Uint8Array): void {
    this.#held = this.#held.byteLength === 0 ? more : Buffer.concat([this.#held, more])
    this.#write()
  }

  #write(): void {
    while (this.#held.byteLength > 0 && !this.#isFull) {
      const slice = this.#held.subarray(0, SLICE_BYTES)
      this.#held = this.#held.subarray(slice.byteLength)
      this.#isFull = !this.#to.write(slice)
    }
    if (this.#isFull) {
      this.#from.pause()
      this.#stall.touch()
    } else if (this.#isFinishing) this.#end()
  }

  /** Goes by what a filter says behind its bytes. */
  #heed({ isWaiting = false, isOver = false }: ByteFilter): void {
    if (isWaiting) this.#from.pause()
    else if (isOver || this.#isFinishDue) this.finish()
  }

  #resume(): void {
    if (!this.#isFull && this.#filter?.isWaiting !== true) this.#from.resume()
  }

  #end(): void {
    if (this.#to.writableLength > 0) this.#stall.touch()
    this.#to.end()
  }
}
