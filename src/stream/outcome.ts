/** How a body ended: it ends exactly once, in one of these ways. */
export type Outcome =
  | { readonly kind: 'complete' }
  /** The reader left before the end. */
  | { readonly kind: 'cancelled' }
  /** The source broke off, or one of our timers did. */
  | { readonly kind: 'failed'; readonly cause: unknown }
