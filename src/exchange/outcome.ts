import type { AnswerEnd } from './answer-end.ts'

/** How a body ended: it ends exactly once, in one of these ways. */
export type Outcome =
  | {
      readonly kind: 'complete'
      /** What its bytes say of it: a body that is complete may be the report of a failure. */
      readonly end?: AnswerEnd | undefined
    }
  /** The reader left before the end. */
  | { readonly kind: 'cancelled' }
  /** The source broke off, or one of our timers did. */
  | { readonly kind: 'failed'; readonly cause: unknown }
