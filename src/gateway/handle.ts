import type { FailingRepeats } from '../access/failing-repeats.ts'
import { type DeliverDeps, type DeliverOptions, deliver } from '../answers/deliver.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { CallerLimits } from '../metering/caller-limits.ts'
import type { Metering } from '../metering/metering.ts'
import { type PrepareBodyDeps, prepareBody } from '../requests/prepare-body.ts'
import { type Ask, type AskStage, PreparedRequest, type Recall, type Recalled } from '../requests/prepared-request.ts'
import { readCall } from '../requests/read-call.ts'
import { objectsOf, watchObjects } from '../requests/remember-objects.ts'
import { startClocks, type TimeLimits } from '../routing/attempts/exchange-clocks.ts'
import { isUnsent } from '../routing/attempts/failure-of.ts'
import type { RememberedIds } from '../routing/remembered-ids.ts'
import type { LoopGuard } from '../upstream/loop-guard.ts'
import { filterModels, listsModels } from './filter-models.ts'
import type { Generation } from './generation.ts'
import { limitedGeneration } from './limited-generation.ts'
import { renamingFor } from './rename-answer.ts'
import { type RouteRequestDeps, routeRequest } from './route-request.ts'

/** The dependencies of the flow. */
export interface HandleDeps extends DeliverDeps, PrepareBodyDeps, RouteRequestDeps {
  readonly repeats: FailingRepeats
  readonly timeouts: TimeLimits
  readonly loops: Pick<LoopGuard, 'mark' | 'suspect'>
  readonly ids: RememberedIds
  /** Limits, money and books of callers; undefined: there is no ledger. */
  readonly metering: Metering | undefined
}

/**
 * The parts that a request goes by: the settings in force once it has its place, and the function that asks for an answer, with its stages.
 */
export interface FlowParts {
  readonly generation: Generation
  readonly ask: Ask
  /** The same without these stages, for requests that concern none. */
  readonly core: Ask
  readonly askStages: readonly AskStage[]
  /** Answers a request that repeats an earlier one; undefined: no stage does. */
  readonly recall: Recall | undefined
}

/**
 * The flow of a request that a principal may make, behind the outer stages: read its body, and apply the rules; choose where it goes; ask,
 * through the stages around that; deliver the answer.
 *
 * Throws an `ApiError`; the code that renders it reports the exchange's end.
 *
 * @example
 * const response = await handle(exchange, { generation, ask, askStages }, deps)
 */
export async function handle(exchange: Exchange, asking: FlowParts, deps: HandleDeps): Promise<Response> {
  const { metering } = deps
  const limits = metering?.admit(exchange)
  const generation = limits === undefined ? asking.generation : limitedGeneration(asking.generation, limits)
  if (generation.settings.hasFile) exchange.tries = []
  if (asking.recall !== undefined && !deps.repeats.watches(exchange)) {
    const recalling = asking.recall(exchange)
    const recalled = recalling instanceof Promise ? await recalling : recalling
    if (recalled !== undefined) {
      if (metering !== undefined) await enterRepeat(exchange, generation, metering)
      return deliverRecalled(exchange, recalled, generation, deps)
    }
  }
  if (generation.restricts) readCall(exchange, generation)
  const compared = comparedBy(asking.askStages, exchange)
  // A request that came back to this server would wait for itself.
  if (compared !== undefined && generation.mayLoop) deps.loops.suspect(exchange)
  // Results that are there already are not awaited: a promise for each step would cost more than the step.
  const preparing = prepareBody(exchange, generation, deps, compared, metering !== undefined)
  const outgoing = preparing instanceof Promise ? await preparing : preparing
  const choosing = routeRequest(exchange, outgoing, generation, deps)
  const route = choosing instanceof Promise ? await choosing : choosing
  if (metering !== undefined) {
    const entering = metering.enter(exchange, outgoing, route.deployments)
    if (entering !== undefined) await entering
  }
  const request = new PreparedRequest({
    exchange,
    outgoing,
    route,
    objects: generation.remembersIds ? objectsOf(exchange, outgoing, generation) : undefined,
    snapshot: asking.generation,
    clocks: startClocks(exchange, route, generation.settings, deps),
    timeouts: deps.timeouts,
  })
  // A request that has just failed again and again is refused.
  deps.repeats.admit(exchange, outgoing)
  try {
    // Most requests concern no stage around the asking: these are not run then.
    const given = await (compared === undefined ? asking.core(request) : asking.ask(request))
    if (metering !== undefined && compared !== undefined && exchange.isMetered === undefined)
      metering.repeat(exchange, route.deployments)
    const answer = limits?.restrictsModels === true ? await permittedPart(exchange, given, limits) : given
    deps.repeats.answered(exchange, outgoing, answer)
    const delivering = passBack(exchange, answer, deliverOptions(request, deps), deps)
    const response = delivering instanceof Promise ? await delivering : delivering
    request.mark?.(response.headers)
    if (metering !== undefined && generation.settings.debugHeaders) metering.tellCost(exchange, response)
    request.clocks?.onDelivered()
    return response
  } catch (thrown) {
    if (!isUnsent(thrown)) deps.repeats.failed(exchange, outgoing, thrown)
    throw thrown
  }
}

/** Lets a request in that repeats an earlier one, and has it booked. */
async function enterRepeat(exchange: Exchange, { router }: Generation, metering: Metering): Promise<void> {
  await metering.enter(exchange, { model: exchange.model, value: undefined }, [])
  metering.repeat(exchange, router.route(exchange.model).deployments)
}

/** The part of an answer that is about models which the caller may use. */
function permittedPart(exchange: Exchange, answer: Response, limits: CallerLimits): Response | Promise<Response> {
  if (!listsModels(exchange.request.method, exchange.requestTarget)) return answer
  return filterModels(answer, (model) => limits.permitsModel(model))
}

/** Delivers the stored answer of a request that repeats an earlier one. */
async function deliverRecalled(
  exchange: Exchange,
  { answer, mark }: Recalled,
  { settings: { debugHeaders } }: Generation,
  deps: DeliverDeps,
): Promise<Response> {
  const options = { isUpstreams: false, streamIdleMs: 0, debugHeaders, renameModel: undefined, objectsIn: undefined }
  const delivering = passBack(exchange, answer, options, deps)
  const response = delivering instanceof Promise ? await delivering : delivering
  mark(response.headers)
  return response
}

/** Makes the caller's response of an answer, once the stage that wants to has seen it. */
function passBack(
  exchange: Exchange,
  answer: Response,
  options: DeliverOptions,
  deps: DeliverDeps,
): Response | Promise<Response> {
  return deliver(exchange, exchange.onAnswer?.(answer, options.isUpstreams) ?? answer, options, deps)
}

/** How much of a body the stages around the asking have to read, by the first stage that the request concerns. */
function comparedBy(stages: readonly AskStage[], exchange: Exchange): ReturnType<AskStage['bodyNeeded']> {
  for (const stage of stages) {
    const compared = stage.bodyNeeded(exchange)
    if (compared !== undefined) return compared
  }
  return undefined
}

/** Gives the facts about the request that delivering its answer depends on. */
function deliverOptions(request: PreparedRequest, { ids }: HandleDeps): DeliverOptions {
  const { deployment, snapshot, isWatched } = request
  return {
    isUpstreams: deployment !== undefined,
    streamIdleMs: deployment === undefined || isWatched ? 0 : request.streamIdleMsOf(deployment),
    debugHeaders: snapshot.settings.debugHeaders,
    renameModel: request.isRenamed ? renamingFor(request, deployment) : undefined,
    objectsIn:
      deployment === undefined || request.objects === undefined ? undefined : watchObjects(request, deployment, ids),
  }
}
