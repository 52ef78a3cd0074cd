import type { Principal } from './auth/authorize.ts'
import { applyCredentials, withoutToken } from './auth/credentials.ts'
import type { Exchange } from './exchange.ts'
import type { Live } from './live.ts'
import type { Lane } from './router/router.ts'
import { requestHeaders } from './upstream/headers.ts'
import type { LoopGuard } from './upstream/loop-guard.ts'
import type { Reach } from './upstream/send.ts'
import type { Destination } from './upstream/target.ts'

/** What addressing a lane needs of the server. */
export interface AddressDeps {
  /** Whether a caller is a program of this machine's, and the server listens on this machine only. */
  readonly mayBorrow: (headers: Headers) => boolean
  readonly userAgent: string
  readonly loops: Pick<LoopGuard, 'mark'>
}

/** Where a call of a lane goes, and with which headers. */
export interface LaneAddress extends Destination {
  readonly headers: Headers
  /** The server's key, where this call spends it. */
  readonly secret: string | undefined
  readonly reach: Reach | undefined
}

/**
 * Addresses a call to a lane: its URL, the caller's end-to-end headers, the credentials that the upstream is to see.
 *
 * `target` is the caller's request target, `model` what the upstream calls the model. Throws `incorrect_api_key` where
 * the caller may not spend the lane's key, and `invalid_target`.
 *
 * @example
 * const { url, headers } = addressLane(exchange, principal, lane, { target: exchange.target, model }, live, deps)
 */
export function addressLane(
  { request, isMarked }: Exchange,
  principal: Principal,
  { upstream, key }: Lane,
  { target, model }: { readonly target: string; readonly model: string | undefined },
  live: Live,
  deps: AddressDeps,
): LaneAddress {
  const { locate, reach, mayLoop } = live.egressOf(upstream)
  const destination = locate(withoutToken(target, principal), model)
  const headers = requestHeaders(request.headers)
  const secret = applyCredentials(headers, principal, upstream, key, () => deps.mayBorrow(request.headers))
  if (isMarked && mayLoop) deps.loops.mark(headers)
  return { url: destination.url, target: destination.target, headers, secret, reach }
}
