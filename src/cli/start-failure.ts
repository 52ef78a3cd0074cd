import { StoreError } from '../store/open-store.ts'
import { ExtensionsError } from './extensions/load-all.ts'
import { INVALID } from './flags.ts'
import { explainListenFailure } from './listen-failure.ts'
import { OwnAddressError } from './own-address-error.ts'

const FAILED = 1

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
