import type { Principal } from './auth/authorize.ts'
import type { Cassettes } from './cassette/cassettes.ts'
import { watchAnswer } from './cassette/watch-answer.ts'
import { chooseRoute } from './choose-route.ts'
import { STATEFUL_RESOURCES } from './config/stateful-resources.ts'
import { type DeliverDeps, deliver, type Via } from './deliver.ts'
import type { Draft } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { type Answered, ask } from './failover/ask.ts'
import { askOnce } from './failover/ask-once.ts'
import type { AskDeps } from './failover/asked.ts'
import type { LaneCall } from './failover/attempt.ts'
import { type ExchangeLimits, limitTime, type TimeLimits } from './failover/limit-time.ts'
import { isJsonObject } from './json/json.ts'
import { type AddressDeps, addressLane } from './lane-address.ts'
import type { Admission } from './limits/admission.ts'
import type { Live } from './live.ts'
import type { JsonEndpoint } from './openai/endpoints.ts'
import { endpointOf, type ReadDraftDeps, readDraft } from './read-draft.ts'
import { affinityOf } from './router/affinity.ts'
import type { RememberedIds } from './router/remembered-ids.ts'
import type { Lane, Route } from './router/router.ts'
import { tapeExchange } from './tape-exchange.ts'

/** What the flow needs; all of it comes from the composition root. */
export interface PipelineDeps extends DeliverDeps, ReadDraftDeps, AskDeps, AddressDeps {
  /** What the settings come to now: a request keeps what it began with. */
  readonly live: () => Live
  readonly ids: RememberedIds
  readonly admission: Admission
  readonly timeouts: TimeLimits
  readonly cassettes: Cassettes | undefined
}

/**
 * The flow of a request that a principal may make: admit, read and check the body, apply the rules, choose the route, ask
 * its targets, deliver.
 *
 * An `endpoint` has a body that is read and checked; without one, everything passes through as it comes, unless a rule or
 * its model has a say. Throws an `ApiError`; the exchange's end is reported by whoever renders it.
 */
export async function handle(
  exchange: Exchange,
  principal: Principal,
  endpoint: JsonEndpoint | undefined,
  deps: PipelineDeps,
): Promise<Response> {
  exchange.atEnd(deps.admission.admit())
  const { cassettes } = deps
  const taped = cassettes === undefined ? undefined : await tapeExchange(exchange, endpoint, cassettes, deps)
  if (taped instanceof Response) return taped
  const live = deps.live()
  if (live.settings.hasFile) exchange.tries = []
  const reading = readDraft(exchange, principal, endpoint, live, deps)
  const draft = reading instanceof Promise ? await reading : reading
  const path = endpoint?.path.slice(1) ?? endpointOf(exchange.target)
  const route = chooseRoute(path, draft, live, deps.ids)
  const going = { exchange, principal, endpoint, draft, route, live }
  const limits = limitTime(exchange, route, live.settings, deps)
  const answered = await askTargets(going, limits, deps)
  const answer = taped === undefined ? answered.answer : watchAnswer(answered.answer, taped)
  const response = await deliver(exchange, endpoint, answer, via(going, answered, deps), deps)
  limits.onDelivered()
  return response
}

/** What is known of a request when its targets are asked. */
interface Going {
  readonly exchange: Exchange
  readonly principal: Principal
  readonly endpoint: JsonEndpoint | undefined
  readonly draft: Draft
  readonly route: Route
  readonly live: Live
}

function askTargets(going: Going, limits: ExchangeLimits, deps: PipelineDeps): Promise<Answered> {
  const { exchange, endpoint, draft, route, live } = going
  const [only] = route.lanes
  if (!live.settings.hasFile && only !== undefined) {
    return askOnce(exchange, only, callFor(going, only, exchange.abort, deps), deps)
  }
  const affinity = route.model?.strategy === 'affinity' ? affinityOf(draft.value) : undefined
  const call = (lane: Lane, abort: AbortController): LaneCall => {
    limits.onLane(lane)
    return callFor(going, lane, abort, deps)
  }
  const { isReplayable } = draft
  return ask({ exchange, endpoint, route, affinity, callFor: call, isReplayable, dueAt: limits.dueAt }, deps)
}

/** The call as it goes to one lane: its address, and its name for the model. */
function callFor(going: Going, lane: Lane, abort: AbortController, deps: PipelineDeps): LaneCall {
  const { exchange, principal, draft, route, live } = going
  const { request, target: callersTarget } = exchange
  const wanted = { target: callersTarget, model: lane.model ?? draft.model }
  const { url, target, headers, secret, reach } = addressLane(exchange, principal, lane, wanted, live, deps)
  if (!headers.has('user-agent')) headers.set('user-agent', deps.userAgent)
  if (draft.isChangedFor(lane.model)) {
    // A changed body goes on decoded, with the length that it has now.
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  // What is recorded has to be readable, too.
  if (deps.cassettes?.record !== undefined) headers.set('accept-encoding', 'identity')
  // An answer in which a name is to be changed, or an id to be found, has to be readable.
  if (route.model?.reportModel === 'alias' || makesObject(going)) headers.set('accept-encoding', 'identity')
  const firstByteMs = route.sending.timeouts.firstByteMs ?? lane.upstream.timeouts.firstByteMs
  const body = draft.bodyFor(lane.model)
  return { url, target, method: request.method, headers, body, abort, firstByteMs, reach, secret }
}

/** What the way back has to know of the way there. */
function via(going: Going, { lane, secret }: Answered, { timeouts, ids }: PipelineDeps): Via {
  const { draft, route, live } = going
  const { upstream, keyIndex } = lane
  return {
    secret,
    streamIdleMs: route.sending.timeouts.streamIdleMs ?? upstream.timeouts.streamIdleMs ?? timeouts.streamIdleMs,
    debugHeaders: live.settings.debugHeaders,
    reportModel: route.model?.reportModel === 'alias' ? draft.model : undefined,
    onObject: makesObject(going) ? (id) => ids.remember(id, { upstream: upstream.name, keyIndex }) : undefined,
  }
}

/** Whether a request makes what can be asked for later only where it was made, so that its id has to be remembered. */
function makesObject({ exchange, draft, live }: Going): boolean {
  const { request, route } = exchange
  if (!live.remembersIds || request.method !== 'POST') return false
  return STATEFUL_RESOURCES.has(route) || (isJsonObject(draft.value) && draft.value['store'] === true)
}
