import type { TimedChunk } from '../answers/stored-answer.ts'
import type { Memory } from './kept-chunks.ts'

/** How a source ends: properly, or with all of the answer; by breaking off; or because nobody reads it any more. */
export type SourceEnd = 'complete' | 'broken' | 'cancelled'

/** What a broadcast needs, and whom it tells. */
export interface BroadcastDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** As much of the body is kept for those who come later, with what keeping each chunk costs. */
  readonly keptBytesMax: number
  /** What is kept counts towards it; where there is none left, nothing more is kept. Absent: it is not counted. */
  readonly memory?: Memory | undefined
  /** The source is read to its end also when nobody reads any more. */
  readonly runsOn: boolean
  /** Whether what has come is all of the answer, though the source goes on. */
  readonly isInFull: (chunks: readonly TimedChunk[]) => boolean
  /** Called once, when the source has come to its proper end, or the last reader has left with all of the answer, and all of it has been kept. */
  readonly onComplete: (chunks: readonly TimedChunk[]) => void
  /** Called once, when nobody can join any more: the body is too large, broken or cancelled. `chunks`: all that has come. */
  readonly onClosed: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  /**
   * Called once, last of all, when the source has ended in whatever way; `cause`: why it has broken off, or was cancelled; `chunks`:
   * what is kept of it.
   */
  readonly onEnd: (end: SourceEnd, cause: unknown, chunks: readonly TimedChunk[]) => void
}
