import type { Held } from '../exchange/memory-budget.ts'
import { type Decoded, decodeBody } from '../formats/bytes/decode-body.ts'
import { Slice } from '../timing/slices.ts'

/** So many bodies are decoded at a time: what comes of all the others is held by nobody yet. */
const AT_ONCE = 4

let busy = 0
const waiting: (() => void)[] = []
/** One for all of them: together they are one long work. */
const slice = new Slice()

/**
 * Decodes a request's body as its `Content-Encoding` says, a few at a time and in slices, so that others get their turn. What it comes
 * to is counted as it comes.
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
    // Whoever is next has the place of this one.
    if (next === undefined) busy -= 1
    else next()
  }
}
