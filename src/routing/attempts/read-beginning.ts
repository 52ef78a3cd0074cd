import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { Slice } from '../../timing/slices.ts'
import type { HeldAnswer } from './held-answer.ts'

/** How long the beginning of an answer may be read. */
export interface ReadingLimits {
  /** From the first byte; 0: no limit. */
  readonly sinceFirstByteMs: number
  /** From now, whatever has come; 0: no limit. */
  readonly totalMs: number
  /**
   * Without a byte: then the upstream has fallen silent, and `abort` ends the call. When one has come, whoever gets what has
   * come is to see that. 0: no limit.
   */
  readonly idleMs: number
  readonly abort: AbortController
}

/** So much is looked through at once. */
const PIECE_BYTES = 64 * 1024

/**
 * Reads the beginning of an answer until `add` can tell from it what it was to find out.
 *
 * `end`: all of it has come, or it can't be read. `late`: the time is up. Rejects where the answer breaks off.
 */
export async function readBeginning<T>(
  held: HeldAnswer,
  add: (bytes: Uint8Array) => T | undefined,
  { sinceFirstByteMs, totalMs, idleMs, abort }: ReadingLimits,
  deadlines: Deadlines,
): Promise<{ readonly told: T } | 'end' | 'late'> {
  const late = Promise.withResolvers<'late'>()
  const expire = (): void => late.resolve('late')
  const total = deadlines.start(totalMs, expire)
  const soon = deadlines.start(sinceFirstByteMs, expire)
  soon.suspend()
  const idle = deadlines.start(idleMs, () => {
    if (held.bytes > 0) expire()
    else abort.abort(new ApiError('upstream_timeout'))
  })
  try {
    for (;;) {
      const hadBytes = held.bytes > 0
      const bytes = await Promise.race([held.next(), late.promise])
      if (bytes === 'late') return 'late'
      if (bytes === undefined) return 'end'
      idle.touch()
      if (!hadBytes) soon.touch()
      const told = bytes.byteLength > PIECE_BYTES ? await addInPieces(bytes, add) : add(bytes)
      if (told !== undefined) return { told }
    }
  } finally {
    for (const deadline of [total, soon, idle]) deadline.clear()
  }
}

/** A chunk of megabytes may be of a million events that say nothing. */
async function addInPieces<T>(bytes: Uint8Array, add: (bytes: Uint8Array) => T | undefined): Promise<T | undefined> {
  const slice = new Slice()
  for (let from = 0; from < bytes.byteLength; from += PIECE_BYTES) {
    const told = add(bytes.subarray(from, from + PIECE_BYTES))
    if (told !== undefined) return told
    if (slice.isOver()) await slice.rest()
  }
  return undefined
}
