/** What a claim costs beside its answer: an entry with two digests. Measured in memory. */
export const CLAIM_BYTES = 600

/** As much of what the cache may hold is for claims, beside it. */
const CLAIMS_SHARE = 1 / 2
/** One caller may hold as much of that. */
const CALLERS_SHARE = 1 / 2
/** The rest is for claims without an answer: who comes when others' answers have filled the room is made once, too. */
const ANSWERS_SHARE = 7 / 8

/** How much there may be with what is put in: of all callers', and of the one's. */
export interface ClaimRoom {
  readonly all: number
  readonly callers: number
}

/**
 * Gives the bounds, in bytes, for a claim of so many bytes where the cache may hold `bytesMax`.
 *
 * @example
 * const isRoom = bytes + held <= roomFor(bytes, bytesMax).callers
 */
export function roomFor(bytes: number, bytesMax: number): ClaimRoom {
  const all = bytesMax * CLAIMS_SHARE
  return { all: bytes > CLAIM_BYTES ? all * ANSWERS_SHARE : all, callers: all * CALLERS_SHARE }
}
