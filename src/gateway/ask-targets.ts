import type { Exchange } from '../exchange/exchange.ts'
import { fitBody, withPresetsPart } from '../requests/fit-body.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { ask } from '../routing/attempts/ask.ts'
import { askOnce } from '../routing/attempts/ask-once.ts'
import type { AskDeps, DeploymentCall } from '../routing/attempts/attempt.ts'
import { NO_CLOCK } from '../routing/attempts/client-clock.ts'
import { type AddressDeps, addressDeployment, payerOf, wantedFrom } from '../routing/deployment-address.ts'
import { affinityOf } from '../routing/targets/affinity.ts'
import type { Deployment } from '../routing/targets/deployment.ts'

/** The dependencies of `askTargets`. */
export type AskTargetsDeps = AskDeps & AddressDeps

/** Headers that callers send for the cache; they go to no upstream. */
const OWN_REQUEST_HEADERS = ['x-nexcode-cache-key', 'x-nexcode-cache-ttl'] as const

/**
 * Asks the targets of a request's route, as its settings say, and notes which of them has answered.
 *
 * Rejects with an `ApiError` where none did.
 *
 * @example
 * const answer = await askTargets(request, deps)
 */
export function askTargets(request: PreparedRequest, deps: AskTargetsDeps): Promise<Response> {
  const asking = askDeployments(request, deps)
  // The parsed body is not needed while the upstream is asked, neither ours nor an extension's.
  request.outgoing.letGo()
  request.exchange.json?.letGo()
  return asking
}

function askDeployments(request: PreparedRequest, deps: AskTargetsDeps): Promise<Response> {
  const { exchange, outgoing, route, snapshot, clocks, hasIdempotencyKey } = request
  const [only] = route.deployments
  // Without a file, nothing is chosen, limited or tried again.
  if (!snapshot.settings.hasFile && only !== undefined) {
    request.deployment = only
    return askOnce(exchange, only, callFor(request, only, exchange.abort, deps), deps)
  }
  const affinity = route.model?.strategy === 'affinity' ? affinityOf(outgoing.value) : undefined
  const asking = ask(
    {
      ...{ exchange, route, affinity, hasIdempotencyKey, isReplayable: outgoing.isReplayable },
      dueAt: clocks?.dueAt ?? NO_CLOCK.dueAt,
      clientDueAt: clocks?.clientDueAt ?? NO_CLOCK.dueAt,
      payerOf: ({ upstream }) => payerOf(exchange.principal, upstream),
      callFor(deployment, abort) {
        clocks?.onDeployment(deployment)
        return callFor(request, deployment, abort, deps)
      },
    },
    deps,
  )
  return asking.then(({ answer, deployment }) => {
    request.deployment = deployment
    return answer
  })
}

/** Makes the call as it goes to one deployment: its address, and its name for the model. */
function callFor(
  prepared: PreparedRequest,
  deployment: Deployment,
  abort: AbortController,
  deps: AskTargetsDeps,
): DeploymentCall {
  const { exchange, snapshot } = prepared
  const outgoing = prepared.outgoingFor(deployment)
  const { request, requestTarget } = exchange
  const model = outgoing.modelFor(deployment)
  const fitted = snapshot.fitsBodies ? fitBody(outgoing, deployment, model, requestTarget, snapshot) : undefined
  if (snapshot.fitsBodies) exchange.params = withPresetsPart(exchange.params, fitted?.receipt ?? '')
  const wanted = wantedFrom(exchange, model === null ? undefined : (model ?? outgoing.model))
  const { url, target, headers, spentKey, mask, account, reach } = addressDeployment(
    exchange,
    deployment,
    wanted,
    snapshot,
    deps,
  )
  if (!headers.has('user-agent')) headers.set('user-agent', deps.userAgent)
  if (fitted !== undefined || outgoing.isChangedFor(model)) {
    // A changed body goes on decoded, with the length that it has now.
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  if (snapshot.settings.cache.store !== undefined) for (const name of OWN_REQUEST_HEADERS) headers.delete(name)
  if (outgoing !== prepared.outgoing || mustBeReadable(exchange, prepared)) headers.set('accept-encoding', 'identity')
  const body = fitted?.body ?? outgoing.bodyFor(model)
  const { firstByteMs, streamIdleMs } = prepared.callLimits(deployment)
  const { method } = request
  // Each part by its name: a spread costs more than the object.
  const watch = prepared.sendWatch
  return { url, target, headers, spentKey, mask, account, reach, method, body, abort, firstByteMs, streamIdleMs, watch }
}

/** Whether an answer is read here: a stage wants that, a name in it is to be changed, or ids are to be found in it. */
function mustBeReadable({ readsAnswer }: Exchange, request: PreparedRequest): boolean {
  return readsAnswer || request.isRenamed || request.objects !== undefined
}
