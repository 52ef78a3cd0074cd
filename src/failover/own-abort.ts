import type { Exchange } from '../exchange.ts'

/**
 * Makes a controller for one attempt: it is aborted when the exchange is, and aborting it leaves the exchange alone.
 */
export function ownAbort(exchange: Exchange): AbortController {
  const own = new AbortController()
  const { signal } = exchange.abort
  const follow = (): void => own.abort(signal.reason)
  if (signal.aborted) follow()
  signal.addEventListener('abort', follow, { once: true })
  // A connection's exchanges share one signal, which outlives each of them.
  exchange.atEnd(() => signal.removeEventListener('abort', follow))
  return own
}
