/** The bytes that a claim takes beside its answer: an entry with two digests. Measured in memory. */
export const CLAIM_BYTES = 600

/** Claims may take this share of the cache's bytes, in addition to the cache. */
const CLAIMS_SHARE = 1 / 2
/** One caller may take this share of it. */
const CALLERS_SHARE = 1 / 2
/** Answers may take this share. The rest is for claims without an answer: a request is made once even if others' answers fill the room. */
const ANSWERS_SHARE = 7 / 8

/** The bytes that claims may take with the new one among them: all callers' together, and the one caller's. */
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
