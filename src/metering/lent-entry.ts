import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Exchange } from '../exchange/exchange.ts'

/** The upstreams that a call may go to. */
interface Ways {
  /** `all`: each of them is, so that it is certain; `some`: one may be. */
  readonly are: 'all' | 'some'
  readonly upstreams: readonly Pick<UpstreamSettings, 'auth'>[]
}

/**
 * Counts a call by a caller with a key of its own as one of the default project where upstreams are spoken to with the server's key instead:
 * then the money is the server's, whatever key was brought. Gives whether it was not counted so before.
 *
 * @example
 * lendEntry(exchange, { are: 'all', upstreams: settings.upstreams })
 */
export function lendEntry(exchange: Pick<Exchange, 'principal' | 'identify'>, { are, upstreams }: Ways): boolean {
  const { principal } = exchange
  if (principal.kind !== 'caller' || principal.lent === undefined || principal.entry !== undefined) return false
  const isLent = are === 'all' ? upstreams.every(spendsOurs) : upstreams.some(spendsOurs)
  if (isLent) exchange.identify({ ...principal, entry: principal.lent })
  return isLent
}

function spendsOurs({ auth }: Pick<UpstreamSettings, 'auth'>): boolean {
  return auth === 'server' || auth === 'none'
}
