import { Elysia } from 'elysia'
import { createAdmission } from './access/admission.ts'
import { type Authorize, createAuthorize } from './access/authorize.ts'
import { createFailingRepeats } from './access/failing-repeats.ts'
import { isLocalCaller } from './access/local-caller.ts'
import { standalone } from './answers/body-note.ts'
import { maskAnswers } from './answers/mask-answers.ts'
import { addDebugHeaders } from './answers/own-headers.ts'
import type { Cassettes } from './cassettes/cassettes.ts'
import type { Config } from './config/config.ts'
import type { CacheSettings } from './config/sections/cache.ts'
import type { ApiToken } from './config/sections/token-list.ts'
import type { Arrival } from './exchange/arrival.ts'
import type { Exchange, Observer } from './exchange/exchange.ts'
import { joinObservers } from './exchange/join-observers.ts'
import { MemoryBudget } from './exchange/memory-budget.ts'
import type { Outcome } from './exchange/outcome.ts'
import type { Handler, Stage } from './exchange/stage.ts'
import type { LoadedExtension } from './extensions/load/load-extensions.ts'
import { createPartsMaker, type Generation } from './gateway/generation.ts'
import { createHealthChecks } from './gateway/health-checks.ts'
import type { ListModelsDeps } from './gateway/list-models.ts'
import { composeFlow, type FlowDeps } from './gateway/stages.ts'
import { ApiError } from './openai/api-error.ts'
import { createRememberedIds } from './routing/remembered-ids.ts'
import { createSnapshot } from './routing/snapshot.ts'
import { createRetryBudget } from './routing/targets/retry.ts'
import type { RouterDeps } from './routing/targets/router.ts'
import { arrivalOf } from './server/arrival.ts'
import { createCors } from './server/cors.ts'
import { answerError, errorHandler } from './server/error-handler.ts'
import { guardRequest } from './server/guard.ts'
import type { App } from './server/http-server.ts'
import { openExchange } from './server/request-context.ts'
import { documentation } from './server/routes/documentation.ts'
import { health, type WorkersState } from './server/routes/health.ts'
import { openaiRoutes } from './server/routes/openai.ts'
import { createUpgrade } from './server/upgrade.ts'
import type { Store } from './storage/store.ts'
import type { Log } from './telemetry/log.ts'
import { createLogObserver } from './telemetry/log-observer.ts'
import { createDeadlines, type Deadlines } from './timing/deadlines.ts'
import { createSleep } from './timing/sleep.ts'
import { createLoopGuard } from './upstream/loop-guard.ts'
import { createSend, type Send, type UpstreamFetch } from './upstream/send.ts'

/** What the application needs from outside: the configuration, and what the platform does. */
export interface AppDeps {
  readonly config: Config
  readonly version: string
  readonly log: Log
  readonly fetch: UpstreamFetch
  /** Tells this process's own lack of descriptors from an upstream's failure; absent: what `fetch` says is taken for it. */
  readonly diagnoseConnectFailure?: (cause: unknown) => unknown
  readonly sha256: (data: string | Uint8Array) => Uint8Array
  /** Opens a place where answers are kept, which can't hurt; throws where there is none. Absent: nothing is kept. */
  readonly openStore?: (cache: CacheSettings) => Store
  /** The user's own logic, loaded. */
  readonly extensions?: readonly LoadedExtension[]
  /** The clock of all time limits; one of its own where absent. */
  readonly deadlines?: Deadlines
  /** How the processes are that serve together; nothing where this one is alone. */
  readonly workers?: () => WorkersState
  /** Who else hears of each exchange, beside the log. */
  readonly observers?: readonly Observer[]
  /** What else stands around the flow of each request, behind the limits. */
  readonly stages?: readonly Stage[]
  /** Recording and replaying; absent: neither. */
  readonly cassettes?: Cassettes
}

/** Stands in for the one way out where nothing may go upstream. */
const sendNothing: Send = () => Promise.reject(new ApiError('upstream_unreachable', { cause: 'only cassettes answer' }))

const COMPLETE: Outcome = { kind: 'complete' }

/** Says in the log that a target is left alone, and that it is asked again. */
function tellBreaker(log: Log): NonNullable<RouterDeps['onBreaker']> {
  return (target, { state, forMs }) => {
    if (state === 'open') log.warn({ target, open_ms: forMs }, 'a breaker opened: the target is left alone for a while')
    else log.info({ target }, 'a breaker closed: the target answers again')
  }
}

/**
 * The composition root. The order of the `.use()` lines is the order of the flow.
 *
 * @example
 * const app = createApp({ config, version, log, fetch, sha256 })
 * const response = await app.fetch(new Request('http://localhost/v1/models'))
 */
export function createApp(deps: AppDeps): App {
  const { config, version, log, fetch, sha256, deadlines = createDeadlines() } = deps
  const { server, timeouts } = config
  // What is answered from cassettes alone asks nobody, not even for a list of models, and spends nobody's key.
  const isOffline = deps.cassettes?.isClosed === true
  const lendsToLocal = server.isLoopback && config.auth.lendsToLocal
  const { corsOrigins } = server
  const doorFor = (tokens: readonly ApiToken[]): Authorize =>
    createAuthorize({ ...config.auth, lendsToLocal, corsOrigins, tokens, isFree: isOffline, sha256 })
  let door = doorFor(config.auth.tokens)
  const authorize: Authorize = (headers) => door(headers)
  const admission = createAdmission(config.limits)
  const now = performance.now.bind(performance)
  const repeats = createFailingRepeats({ max: config.limits.failedRepeatsMax, now, sha256, log })
  const isDetailed = config.log.level === 'debug' || config.log.level === 'trace'
  const observer = joinObservers([repeats, createLogObserver(log, { isDetailed }), ...(deps.observers ?? [])])
  const cors = createCors(server.corsOrigins)
  const routing = { now, random: Math.random, deadlines, onBreaker: tellBreaker(log) }
  const sleep = createSleep(deadlines)
  const memory = new MemoryBudget(config.limits.memoryBytesMax)
  const reading = { bytesMax: config.limits.jsonBytesMax, memory }
  const makeParts = createPartsMaker({
    ...deps,
    deadlines,
    sleep,
    now: routing.now,
    reading,
  })
  let parts = makeParts(config.settings, deps.extensions)
  let generation: Generation = { ...createSnapshot(config.settings, routing), ...parts }
  const pipeline: FlowDeps & ListModelsDeps = {
    ...routing,
    generation: () => generation,
    ids: createRememberedIds({ sha256 }),
    defaultModel: config.defaultModel,
    limits: config.limits,
    reading,
    timeouts,
    ssePingMs: config.ssePingMs,
    userAgent: `NexCode/${version}`,
    mayBorrow: (request) => lendsToLocal && isLocalCaller(request, corsOrigins),
    send: isOffline
      ? sendNothing
      : maskAnswers(
          createSend({
            fetch,
            deadlines,
            firstByteMs: timeouts.firstByteMs,
            diagnoseConnectFailure: deps.diagnoseConnectFailure,
          }),
          deadlines,
        ),
    sleep,
    retryBudget: createRetryBudget(admission.inFlight),
    hedgeBudget: createRetryBudget(admission.inFlight, 1),
    admission,
    loops: createLoopGuard(),
    repeats,
    cassettes: deps.cassettes,
    stages: deps.stages,
    log,
  }
  let flow = composeFlow(generation, pipeline)
  const run: Handler = (exchange) => flow(exchange)

  const checks = createHealthChecks(pipeline)
  const targets = () => (generation.settings.hasFile && !isOffline ? generation.router.states() : undefined)
  const readiness = { admission, authorize, targets, workers: deps.workers }
  const routes = new Elysia({ name: 'nexcode/app', normalize: false, handler: { standardHostname: false } })
    .use(errorHandler(log))
    .use(health(readiness))
    .use(documentation({ version, authorize, isTls: server.tls !== undefined }))
    .use(openaiRoutes({ ...pipeline, flow: run }, authorize))

  const open = (request: Request, arrival: Arrival): Exchange => {
    const exchange = openExchange(request, arrival, observer)
    if (timeouts.totalMs > 0) {
      exchange.total = deadlines.start(timeouts.totalMs, () => exchange.abort.abort(new ApiError('upstream_timeout')))
      exchange.atEnd(() => exchange.total?.clear())
    }
    return exchange
  }

  return {
    admission,
    deadlines,
    memory,
    apply(settings, extensions) {
      // First, because it may throw: then all stays as it was.
      parts = makeParts(settings, extensions, parts)
      generation = { ...createSnapshot(settings, routing, generation), ...parts }
      flow = composeFlow(generation, pipeline)
      if (!isOffline) checks.watch(generation)
    },
    admit(tokens) {
      door = doorFor(tokens)
    },
    start() {
      if (!isOffline) checks.watch(generation)
    },
    stop: checks.stop,
    async close() {
      await parts.chain.settle()
      // What runs on without its client is to be kept, too.
      await parts.once.idempotency.idle()
      await parts.reuse?.close()
    },
    upgrade: createUpgrade({ open, authorize, flow: run, log }),
    async fetch(request, arrival) {
      const exchange = open(request, arrival ?? arrivalOf(request))
      let response: Response
      try {
        guardRequest(request.method, exchange.requestTarget, request.headers)
        response = cors.preflight(request) ?? (await routes.fetch(request))
      } catch (thrown) {
        response = answerError(thrown, exchange, log)
      }
      cors.allow(request, response)
      // The upstream's answers have theirs by now.
      if (!exchange.isDelivered) {
        if (!response.headers.has('x-request-id')) response.headers.set('x-request-id', exchange.id)
        if (generation.settings.debugHeaders && exchange.attempts > 0) addDebugHeaders(response.headers, exchange)
      }
      if (!exchange.isTapped) {
        if (exchange.status === 0) exchange.status = response.status
        exchange.end(COMPLETE, Number(response.headers.get('content-length') ?? 0))
      }
      return arrival === undefined ? standalone(response) : response
    },
  }
}
