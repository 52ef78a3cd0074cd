import type { Store } from '../storage/store.ts'
import type { DecodedAnswers } from './answers/decoded-answers.ts'
import { whyUnusable } from './answers/freshness.ts'
import type { StoredAnswer } from './answers/stored-answer.ts'
import type { RequestControl } from './request-control.ts'

/** The dependencies of the search for a stored answer. */
export interface FindStoredDeps {
  /** Where answers are stored; its failures are nobody else's. */
  readonly store: Store
  readonly decoded: DecodedAnswers
}

/** The stored answer of a key that will do, or why there is none. */
export type Found = StoredAnswer | 'miss' | 'stale' | 'request'

/**
 * Looks for a stored answer that will do: at once, where the store is this memory.
 *
 * @example
 * const finding = findStored(hit.key, hit.control, deps)
 */
export function findStored(
  key: string,
  control: RequestControl,
  { store, decoded }: FindStoredDeps,
): Found | Promise<Found> {
  if (!control.mayLook) return 'request'
  const use = (stored: StoredAnswer | undefined): Found =>
    stored === undefined ? 'miss' : (whyUnusable(stored, control, Date.now()) ?? stored)
  const decode = (bytes: Uint8Array | undefined): Found | Promise<Found> => {
    if (bytes === undefined) return 'miss'
    const decoding = decoded.decode(key, bytes)
    return decoding instanceof Promise ? decoding.then(use) : use(decoding)
  }
  const got = store.get(key)
  return got instanceof Promise ? got.then(decode) : decode(got)
}
