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
}

/**
 * Pours the bytes of one socket into another, never ahead of the destination.
 *
 * `first` goes before the source's own bytes. `filter` may replace bytes by as many others. `stall` runs only while the destination
 * takes nothing.
 *
 * @example
 * const flow = pour(upstream, client, rest, deadlines.start(idleMs, cut))
 */
export function pour(from: Duplex, to: Duplex, first: Uint8Array, stall: Deadline, filter?: ByteFilter): Flow {
  let bytes = 0
  let held: Uint8Array = new Uint8Array()
  let isFull = false
  let isFinishing = false
  stall.suspend()

  const write = (): void => {
    while (held.byteLength > 0 && !isFull) {
      const slice = held.subarray(0, SLICE_BYTES)
      held = held.subarray(slice.byteLength)
      isFull = !to.write(slice)
    }
    if (isFull) {
      from.pause()
      stall.touch()
    } else if (isFinishing) end()
  }
  const end = (): void => {
    if (to.writableLength > 0) stall.touch()
    to.end()
  }
  const take = (chunk: Uint8Array): void => {
    bytes += chunk.byteLength
    // Nobody takes the bytes any more; the source is still read, so that its end is seen.
    if (!to.writable) return
    hold(filter === undefined ? chunk : filter.add(chunk))
    write()
  }
  const hold = (more: Uint8Array): void => {
    held = held.byteLength === 0 ? more : Buffer.concat([held, more])
  }
  const finish = (): void => {
    if (isFinishing) return
    if (filter !== undefined && to.writable) {
      hold(filter.end())
      write()
    }
    isFinishing = true
    if (!isFull) end()
  }

  to.on('drain', () => {
    isFull = false
    stall.suspend()
    write()
    if (!isFull) from.resume()
  })
  to.on('finish', () => stall.clear())
  to.on('close', () => {
    stall.clear()
    isFull = false
    held = new Uint8Array()
    from.resume()
  })
  from.on('end', finish)
  take(first)
  from.on('data', take)
  if (!isFull) from.resume()
  return {
    get bytes() {
      return bytes
    },
    finish,
  }
}
