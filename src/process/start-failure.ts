import { ExtensionsError } from '../extensions/load/load-all.ts'
import { StoreError } from '../storage/open-store.ts'
import { explainListenFailure } from './listen-failure.ts'
import { OwnAddressError } from './own-address-error.ts'

const FAILED = 1

/** The exit code where what was asked for is not valid. */
export const INVALID = 2

/**
 * Says why a server can't start, for a person, and with which code it exits.
 *
 * @example
 * catch (cause) { const { text, code } = explainStartFailure(cause, config.server) }
 */
export function explainStartFailure(
  cause: unknown,
  at: { readonly host: string; readonly port: number },
): { readonly text: string; readonly code: number } {
  if (cause instanceof ExtensionsError || cause instanceof OwnAddressError)
    return { text: cause.problems.join(''), code: INVALID }
  if (cause instanceof StoreError) {
    return { text: `The cache's store (CACHE, or cache.store) ${cause.wrong}.\n  ${cause.cure}\n`, code: INVALID }
  }
  return { text: `${explainListenFailure(cause, at)}\n`, code: FAILED }
}
