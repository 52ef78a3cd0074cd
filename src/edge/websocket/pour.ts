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

/**
 * Pours what comes from one socket into another, byte for byte, never ahead of the one that takes.
 *
 * `first` goes before what the source sends. `stall` runs only while the destination takes nothing.
 *
 * @example
 * const flow = pour(upstream, client, rest, deadlines.start(idleMs, cut))
 */
export function pour(from: Duplex, to: Duplex, first: Uint8Array, stall: Deadline): Flow {
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
    held = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk])
    write()
  }
  const finish = (): void => {
    if (isFinishing) return
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
