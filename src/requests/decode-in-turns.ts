import type { Held } from '../exchange/memory-budget.ts'
import { type Decoded, decodeBody } from '../formats/bytes/decode-body.ts'
import { Slice } from '../timing/slices.ts'

/** The number of bodies that are decoded at a time. The others take no memory for decoded bytes yet. */
const AT_ONCE = 4

let busy = 0
const waiting: (() => void)[] = []
/** All decoding shares one slice, since together it is one long work. */
const slice = new Slice()

/**
 * Decodes a request's body by its `Content-Encoding`: a few bodies at a time, and in slices, so that other requests get their turn. The
 * decoded bytes are counted as they come.
 *
 * Rejects with `memory_full`.
 *
 * @example
 * const plain = await decodeInTurns(bytes, headers.get('content-encoding'), bytesMax, memory.hold(exchange))
 */
export async function decodeInTurns(
  bytes: Uint8Array<ArrayBuffer>,
  codings: string | null,
  bytesMax: number,
  held: Held,
): Promise<Decoded> {
  if (busy === AT_ONCE) await new Promise<void>((resolve) => void waiting.push(resolve))
  else {
    if (busy === 0) slice.begin()
    busy += 1
  }
  try {
    return await decodeBody(bytes, codings, bytesMax, (more) => {
      held.add(more)
      return slice.isOver() ? slice.rest() : undefined
    })
  } finally {
    const next = waiting.shift()
    // The next body takes the place of this one.
    if (next === undefined) busy -= 1
    else next()
  }
}
