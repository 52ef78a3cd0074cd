import type { Duplex } from 'node:stream'
import type { Deadline } from '../../timing/deadlines.ts'

/** Bytes on their way from one socket to another. */
export interface Flow {
  /** Bytes taken from the source so far. */
  readonly bytes: number
  /** Ends the destination when all that was taken has been written; the source's own end does so too. */
  readonly finish: () => void
}

/**
 * Written at a time: a destination that takes this much within the stall limit is slow, not stalled, however
 * large the chunk was that the source sent.
 */
const SLICE_BYTES = 64 * 1024

/** What changes bytes on their way, and may hold some back until more come. */
export interface Shown {
  add(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

/**
 * Pours what comes from one socket into another, byte for byte, never ahead of the one that takes.
 *
 * `first` goes before what the source sends; `shown` may put other bytes in place of those that come, as many. `stall` runs only while the destination takes nothing.
 *
 * @example
 * const flow = pour(upstream, client, rest, deadlines.start(idleMs, cut))
 */
export function pour(from: Duplex, to: Duplex, first: Uint8Array, stall: Deadline, shown?: Shown): Flow {
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
    // Nobody is left to take it; the source is read on all the same, so that its end is seen.
    if (!to.writable) return
    hold(shown === undefined ? chunk : shown.add(chunk))
    write()
  }
  const hold = (more: Uint8Array): void => {
    held = held.byteLength === 0 ? more : Buffer.concat([held, more])
  }
  const finish = (): void => {
    if (isFinishing) return
    if (shown !== undefined && to.writable) {
      hold(shown.end())
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
