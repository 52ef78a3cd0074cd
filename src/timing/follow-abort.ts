/** A controller that follows a signal. */
export interface Following {
  readonly abort: AbortController
  /** Stops following. The signal may outlive the controller, as a connection's does. */
  readonly stop: () => void
}

/**
 * Makes a controller that is aborted when a signal is, with the same reason; aborting it leaves the signal alone.
 *
 * @example
 * const { abort, stop } = followAbort(exchange.abort.signal)
 * exchange.atEnd(stop)
 */
export function followAbort(signal: AbortSignal): Following {
  const abort = new AbortController()
  const follow = (): void => abort.abort(signal.reason)
  if (signal.aborted) follow()
  else signal.addEventListener('abort', follow, { once: true })
  return { abort, stop: () => signal.removeEventListener('abort', follow) }
}
