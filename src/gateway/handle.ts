import { spendsOwnKey } from '../access/credentials.ts'
import type { FailingRepeats } from '../access/failing-repeats.ts'
import { refuseWrongKind } from '../answers/answer-kind.ts'
import { type DeliverDeps, type DeliverOptions, deliver } from '../answers/deliver.ts'
import { isOnce } from '../cache/answer-once.ts'
import type { Reused } from '../cache/reuse-request.ts'
import { tellServed } from '../cache/tell-served.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Recording } from '../cassettes/open-recording.ts'
import { tapeAnswered } from '../cassettes/tape-answer.ts'
import { tapeExchange } from '../cassettes/tape-exchange.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { AskForFile } from '../requests/check-batch.ts'
import { checkRestricted } from '../requests/check-restricted.ts'
import { checkShape } from '../requests/check-shape.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import { type PrepareBodyDeps, prepareBody } from '../requests/prepare-body.ts'
import { readCall } from '../requests/read-call.ts'
import { objectsOf, watchObjects } from '../requests/remember-objects.ts'
import { type Answered, ask } from '../routing/attempts/ask.ts'
import { askOnce } from '../routing/attempts/ask-once.ts'
import type { AskDeps } from '../routing/attempts/asked.ts'
import { isUnsent } from '../routing/attempts/failure-of.ts'
import { type ExchangeLimits, limitTime, ownLimit, type TimeLimits } from '../routing/attempts/limit-time.ts'
import type { UpstreamRequest } from '../routing/attempts/upstream-request.ts'
import type { AddressDeps } from '../routing/deployment-address.ts'
import type { RememberedIds } from '../routing/remembered-ids.ts'
import { affinityOf } from '../routing/targets/affinity.ts'
import type { Account } from '../routing/targets/call-report.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { LoopGuard } from '../upstream/loop-guard.ts'
import { callFor, type Going } from './call-for.ts'
import { chooseRoute } from './choose-route.ts'
import type { Generation } from './generation.ts'
import { renamingFor } from './rename-answer.ts'
import { type TakePlaceDeps, takePlace } from './take-place.ts'
import { throughExtensions } from './through-extensions.ts'

/** What the flow needs; all of it comes from the composition root. */
export interface PipelineDeps extends DeliverDeps, PrepareBodyDeps, AskDeps, AddressDeps, TakePlaceDeps {
  /** What the settings come to now: a request keeps what it began with. */
  readonly generation: () => Generation
  readonly ids: RememberedIds
  readonly loops: LoopGuard
  readonly repeats: FailingRepeats
  readonly timeouts: TimeLimits
  readonly cassettes: Cassettes | undefined
}

/**
 * The flow of a request that a principal may make: give it a place, go through the extensions, read and check the body, apply the rules,
 * choose the route, look whether an answer is kept or under way, ask the targets, deliver.
 *
 * An `endpoint` has a body that is read and checked; without one, everything passes through as it comes, unless a rule or
 * its model has a say. Throws an `ApiError`; the exchange's end is reported by whoever renders it.
 */
export function handle(exchange: Exchange, deps: PipelineDeps): Promise<Response> {
  const taking = takePlace(exchange, deps)
  // A promise for each step would cost more than the step.
  if (taking === undefined) return flow(exchange, deps)
  return taking.then(() => flow(exchange, deps))
}

/** The flow of a request that has its place. */
function flow(exchange: Exchange, deps: PipelineDeps): Promise<Response> {
  const generation = deps.generation()
  if (generation.mayLoop) deps.loops.watch(exchange)
  if (deps.cassettes === undefined && generation.chain.isEmpty) return serve(exchange, generation, undefined, deps)
  return goAround(exchange, generation, deps)
}

/** Goes through what stands around the flow where it is wanted: cassettes, extensions. */
async function goAround(exchange: Exchange, generation: Generation, deps: PipelineDeps): Promise<Response> {
  const { cassettes } = deps
  const taped = cassettes === undefined ? undefined : await tapeExchange(exchange, cassettes, deps)
  if (taped instanceof Response) return taped
  const { chain } = generation
  if (chain.isEmpty) return serve(exchange, generation, taped, deps)
  const next = (one: Exchange): Promise<Response> => serve(one, generation, undefined, deps)
  return throughExtensions(exchange, { chain, taped, deadlines: deps.deadlines }, next)
}

/** What stands behind the extensions. */
async function serve(
  exchange: Exchange,
  generation: Generation,
  taped: Recording | undefined,
  deps: PipelineDeps,
): Promise<Response> {
  if (generation.settings.hasFile) exchange.tries = []
  if (generation.restricts) readCall(exchange, generation)
  const isReused = generation.reuse?.isFor(exchange, generation.settings) === true
  // Come back, it would wait for itself.
  if (isReused && generation.mayLoop) deps.loops.suspect(exchange)
  const compared = isReused ? generation.reuse?.comparesBody(exchange, generation.settings) : undefined
  const reading = prepareBody(exchange, generation, deps, compared)
  const outgoing = reading instanceof Promise ? await reading : reading
  const choosing = chooseRoute(exchange.requestTarget, outgoing, generation, deps.ids)
  const wantedRoute = choosing instanceof Promise ? await choosing : choosing
  checkShape(exchange, outgoing, wantedRoute)
  const restricting = generation.restricts ? restrict(exchange, outgoing, wantedRoute, generation, deps) : wantedRoute
  const route = restricting instanceof Promise ? await restricting : restricting
  const going = {
    exchange,
    outgoing,
    objects: objectsOf(exchange, outgoing, generation),
    route,
    snapshot: generation,
  }
  deps.repeats.admit(exchange, outgoing)
  const limits = limitTime(exchange, route, generation.settings, deps)
  try {
    const answered = isReused ? await reuse(going, limits, deps) : await askTargets(going, limits, deps)
    deps.repeats.answered(exchange, outgoing, answered.answer)
    const answer = taped === undefined ? answered.answer : tapeAnswered(exchange, answered, taped, deps)
    const delivering = deliver(exchange, answer, via(going, answered, deps), deps)
    const response = delivering instanceof Promise ? await delivering : delivering
    if ('served' in answered) tellServed(response.headers, answered, exchange, generation.settings)
    limits.onDelivered()
    return response
  } catch (thrown) {
    if (!isUnsent(thrown)) deps.repeats.failed(exchange, outgoing, thrown)
    throw thrown
  }
}

/** Checks where a request goes by rules and models; for a file that it speaks of, its own targets are asked. */
function restrict(
  exchange: Exchange,
  outgoing: OutgoingBody,
  route: Route,
  generation: Generation,
  deps: PipelineDeps,
): Route | Promise<Route> {
  const ask: AskForFile = (one, empty, way) => {
    const going = {
      exchange: one,
      endpoint: undefined,
      outgoing: empty,
      objects: undefined,
      route: way,
      snapshot: generation,
    }
    return askDeployments(going, limitTime(one, way, generation.settings, deps), deps)
  }
  return checkRestricted({ exchange, outgoing, route, snapshot: generation }, ask, deps)
}

/** Answers from what is kept or under way for others, or by asking the targets. */
async function reuse(going: Going, limits: ExchangeLimits, deps: PipelineDeps): Promise<Reused> {
  const { exchange, outgoing, route, snapshot: generation } = going
  if (generation.reuse === undefined) throw new Error('nothing is kept here')
  // Who waits for another's call has the limits that a call of its own would have.
  const [first] = route.deployments
  if (first !== undefined) limits.onDeployment(first)
  const reused = await generation.reuse.answer({
    exchange,
    outgoing,
    route,
    settings: generation.settings,
    forward: (one) => askForAll({ ...going, exchange: one }, limits, deps),
    streamIdleMsOf: (deployment) => ownLimit('streamIdleMs', route, deployment) ?? deps.timeouts.streamIdleMs,
    totalMsOf: (deployment) => ownLimit('totalMs', route, deployment) ?? deps.timeouts.totalMs,
  })
  if (reused.deployment !== undefined) limits.onDeployment(reused.deployment)
  return reused
}

/** Asks for an answer that several may get: one that none of them would get is refused before anybody waits for its body. */
async function askForAll(going: Going, limits: ExchangeLimits, deps: PipelineDeps): Promise<Answered> {
  const answered = await askTargets(going, limits, deps)
  try {
    refuseWrongKind(going.exchange, answered.answer)
    return answered
  } catch (refusal) {
    void ignoreRejection(answered.answer.body?.cancel())
    throw refusal
  }
}

function askTargets(going: Going, limits: ExchangeLimits, deps: PipelineDeps): Promise<Answered> {
  const answering = askDeployments(going, limits, deps)
  // What its body was parsed to is not needed on the way, here or in what an extension has had parsed.
  going.outgoing.letGo()
  going.exchange.json?.letGo()
  return answering
}

function askDeployments(going: Going, limits: ExchangeLimits, deps: PipelineDeps): Promise<Answered> {
  const { exchange, outgoing, route, snapshot: generation } = going
  const [only] = route.deployments
  if (!generation.settings.hasFile && only !== undefined) {
    return askOnce(exchange, only, callFor(going, only, exchange.abort, deps), deps)
  }
  const affinity = route.model?.strategy === 'affinity' ? affinityOf(outgoing.value) : undefined
  const call = (deployment: Deployment, abort: AbortController): UpstreamRequest => {
    limits.onDeployment(deployment)
    return callFor(going, deployment, abort, deps)
  }
  const accountOf = (deployment: Deployment): Account =>
    spendsOwnKey(exchange.principal, deployment.upstream) ? 'caller' : 'server'
  const { dueAt, clientDueAt } = limits
  // Nothing of it is kept where the window is 0; then the header is the upstream's affair.
  const once = isOnce(exchange, generation.settings)
  const { isReplayable } = outgoing
  return ask(
    { exchange, route, affinity, accountOf, callFor: call, isOnce: once, isReplayable, dueAt, clientDueAt },
    deps,
  )
}

/** An answer on its way back. */
type Handed = Pick<Reused, 'answer' | 'deployment'> & Partial<Pick<Reused, 'isWatched'>>

/** What the way back has to know of the way there. */
function via(going: Going, { deployment, isWatched }: Handed, deps: PipelineDeps): DeliverOptions {
  const { route, snapshot: generation } = going
  return {
    isUpstreams: deployment !== undefined,
    streamIdleMs:
      deployment === undefined || isWatched === true
        ? 0
        : (ownLimit('streamIdleMs', route, deployment) ?? deps.timeouts.streamIdleMs),
    debugHeaders: generation.settings.debugHeaders,
    renameModel: renamingFor(going, deployment),
    objectsIn: deployment === undefined ? undefined : watchObjects(going, deployment, deps.ids),
  }
}
