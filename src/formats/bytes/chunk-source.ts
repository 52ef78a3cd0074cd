/**
 * The body of an answer as its one reader sees it: the chunks that are there now, and a call when there are more. The source holds back
 * what is not taken, so that it never runs ahead of its reader.
 */
export interface ChunkSource {
  /** Gives the chunks that are there, oldest first; none: nothing is there now, or `end` says that nothing will be. */
  take(): readonly Uint8Array[]
  /** Calls back once, and never at once, when there is something to take or the body has ended. To be called when nothing is there. */
  onceMore(callback: () => void): void
  /** How the body has ended, once all of its chunks have been taken; undefined: it goes on. */
  readonly end: ChunkSourceEnd | undefined
  /** Ends the body before its end, with the reason for that; more than one call changes nothing. */
  cancel(reason?: unknown): void
}

/** The end of a body: proper, or broken off with a cause. */
export type ChunkSourceEnd = { readonly isBroken: false } | { readonly isBroken: true; readonly cause: unknown }
