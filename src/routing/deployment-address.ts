import { accountFor, applyCredentials, spendsOwnKey, withoutToken } from '../access/credentials.ts'
import type { Received } from '../access/local-caller.ts'
import type { Secret } from '../config/secret.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Principal } from '../exchange/principal.ts'
import { protocolOf } from '../openai/protocol.ts'
import { requestHeaders } from '../upstream/headers.ts'
import type { LoopGuard } from '../upstream/loop-guard.ts'
import type { Mask } from '../upstream/mask.ts'
import type { Reach } from '../upstream/send.ts'
import type { Destination } from '../upstream/target.ts'
import type { Account } from './health/call-report.ts'
import type { Snapshot } from './snapshot.ts'
import type { Deployment } from './targets/deployment.ts'

/** The dependencies of `addressDeployment`. */
export interface AddressDeps {
  /** Whether the caller is a program on this machine, and the server listens on this machine only; it may not borrow the key to manage with. */
  readonly mayBorrow: (exchange: Received & Pick<Exchange, 'requestTarget'>) => boolean
  readonly userAgent: string
  readonly loops: Pick<LoopGuard, 'mark'>
}

/** The address of a call to a deployment, and its headers. */
export interface DeploymentAddress extends Destination {
  readonly headers: Headers
  /** The server's key, where this call spends it. */
  readonly spentKey: Secret | undefined
  /** The header for the server's key, in lower case. */
  readonly keyHeader: string
  readonly mask: Mask | undefined
  /** The account that the call is made on. */
  readonly account: Account
  readonly reach: Reach | undefined
}

/** The headers by which a caller chooses whose limits and rights hold, beside the key (OpenAI's API reference, Authentication). */
const ACCOUNT_HEADERS = ['openai-organization', 'openai-project'] as const

/**
 * Makes the address of a call to a deployment: its URL, the caller's end-to-end headers, and the credentials for the upstream.
 *
 * `target` is the request target, `model` the upstream's name for the model. Throws `incorrect_api_key` where
 * the caller may not spend the deployment's key, and `invalid_target`.
 *
 * @example
 * const { url, headers } = addressDeployment(exchange, deployment, { target: exchange.requestTarget, model }, snapshot, deps)
 */
export function addressDeployment(
  exchange: Exchange,
  { upstream, key }: Deployment,
  { target, model }: Wanted,
  snapshot: Snapshot,
  deps: AddressDeps,
): DeploymentAddress {
  const { request, isMarked, principal } = exchange
  const { locate, reach, mayLoop } = snapshot.egressOf(upstream)
  const destination = locate(withoutToken(target, principal), model)
  const headers = requestHeaders(request.headers)
  const wantedBy = accountFor(protocolOf(target, request.headers), upstream)
  const secret = applyCredentials(headers, principal, wantedBy, key, () => deps.mayBorrow(exchange))
  if (isMarked && mayLoop) deps.loops.mark(headers)
  const account = accountOf(headers, principal, upstream)
  return {
    url: destination.url,
    target: destination.target,
    headers,
    spentKey: secret,
    keyHeader: wantedBy.keyHeader,
    mask: snapshot.maskOf(upstream, secret),
    account,
    reach,
  }
}

/** A request target, and the upstream's name for the model. */
export interface Wanted {
  readonly target: string
  readonly model: string | undefined
}

/**
 * Makes the request target for a deployment: where it names a model, the upstream's name for that stands there.
 *
 * @example
 * const address = addressDeployment(exchange, deployment, wantedFrom(exchange, deployment.model), snapshot, deps)
 */
export function wantedFrom({ requestTarget: target, named }: Exchange, model: string | undefined): Wanted {
  const isRenamed = named !== undefined && model !== undefined && model !== named.model
  return { target: isRenamed ? named.withModel(model) : target, model }
}

/**
 * The account that pays for a call to an upstream: that of the key which the call spends.
 *
 * @example
 * const deployments = route.order({ payerOf: ({ upstream }) => payerOf(exchange.principal, upstream) })
 */
export function payerOf(principal: Principal, upstream: Deployment['upstream']): Account {
  return spendsOwnKey(principal, upstream) ? 'caller' : 'server'
}

/**
 * The account whose limits hold for a call: the caller's also where the caller names an organization or a project beside the
 * server's key.
 */
function accountOf(headers: Headers, principal: Principal, upstream: Deployment['upstream']): Account {
  if (payerOf(principal, upstream) === 'caller') return 'caller'
  const isNamed = ACCOUNT_HEADERS.some((name) => headers.has(name) && !upstream.headers.some(([own]) => own === name))
  return isNamed ? 'caller' : 'server'
}
