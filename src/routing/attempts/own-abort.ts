import type { Exchange } from '../../exchange/exchange.ts'
import { followAbort } from '../../timing/follow-abort.ts'

/**
 * Makes a controller for one attempt: it is aborted when the exchange is, and aborting it leaves the exchange alone.
 */
export function ownAbort(exchange: Exchange): AbortController {
  const { abort, stop } = followAbort(exchange.abort.signal)
  exchange.atEnd(stop)
  return abort
}
