import { applyCredentials, spendsOwnKey, withoutToken } from '../access/credentials.ts'
import type { Received } from '../access/local-caller.ts'
import type { Secret } from '../config/secret.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Principal } from '../exchange/principal.ts'
import { requestHeaders } from '../upstream/headers.ts'
import type { LoopGuard } from '../upstream/loop-guard.ts'
import type { Mask } from '../upstream/mask.ts'
import type { Reach } from '../upstream/send.ts'
import type { Destination } from '../upstream/target.ts'
import type { Snapshot } from './snapshot.ts'
import type { Account } from './targets/call-report.ts'
import type { Deployment } from './targets/router.ts'

/** What addressing a deployment needs of the server. */
export interface AddressDeps {
  /** Whether a caller is a program of this machine's, and the server listens on this machine only. */
  readonly mayBorrow: (request: Received) => boolean
  readonly userAgent: string
  readonly loops: Pick<LoopGuard, 'mark'>
}

/** Where a call of a deployment goes, and with which headers. */
export interface DeploymentAddress extends Destination {
  readonly headers: Headers
  /** The server's key, where this call spends it. */
  readonly spentKey: Secret | undefined
  readonly mask: Mask | undefined
  /** On whose account the call is made. */
  readonly account: Account
  readonly reach: Reach | undefined
}

/** What a caller may say beside a key: whose limits and rights are meant (OpenAI's API reference, Authentication). */
const ACCOUNT_HEADERS = ['openai-organization', 'openai-project'] as const

/**
 * Addresses a call to a deployment: its URL, the caller's end-to-end headers, the credentials that the upstream is to see.
 *
 * `target` is the request target, `model` what the upstream calls the model. Throws `incorrect_api_key` where
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
  const secret = applyCredentials(headers, principal, upstream, key, () => deps.mayBorrow(exchange))
  if (isMarked && mayLoop) deps.loops.mark(headers)
  const account = accountOf(headers, principal, upstream)
  return {
    url: destination.url,
    target: destination.target,
    headers,
    spentKey: secret,
    mask: snapshot.maskOf(upstream, secret),
    account,
    reach,
  }
}

/** A request target, and what the upstream calls the model. */
export interface Wanted {
  readonly target: string
  readonly model: string | undefined
}

/**
 * A request target as a deployment is to read it: a model that it names gives way to the upstream's name for that.
 *
 * @example
 * const address = addressDeployment(exchange, deployment, wantedFrom(exchange, deployment.model), snapshot, deps)
 */
export function wantedFrom({ requestTarget: target, named }: Exchange, model: string | undefined): Wanted {
  const isRenamed = named !== undefined && model !== undefined && model !== named.model
  return { target: isRenamed ? named.withModel(model) : target, model }
}

/** The caller's own also where it is the server's key, but an organization or project that the caller names. */
function accountOf(headers: Headers, principal: Principal, upstream: Deployment['upstream']): Account {
  if (spendsOwnKey(principal, upstream)) return 'caller'
  const isNamed = ACCOUNT_HEADERS.some((name) => headers.has(name) && !upstream.headers.some(([own]) => own === name))
  return isNamed ? 'caller' : 'server'
}
