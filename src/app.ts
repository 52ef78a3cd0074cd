import { Elysia } from 'elysia'
import { type Authorize, createAuthorize } from './auth/authorize.ts'
import { isLocalCaller } from './auth/local-caller.ts'
import type { Cassettes } from './cassette/cassettes.ts'
import type { ApiToken } from './config/api-tokens.ts'
import type { Config } from './config/config.ts'
import type { CacheSettings, Settings } from './config/settings.ts'
import type { Exchange } from './exchange.ts'
import type { LoadedExtension } from './extend/loaded-extension.ts'
import { createHealthChecks } from './health-checks.ts'
import { type Arrival, arrivalOf } from './http/arrival.ts'
import { createCors } from './http/cors.ts'
import { answerError, errorHandler } from './http/error-handler.ts'
import { guardRequest } from './http/guard.ts'
import { openExchange } from './http/request-context.ts'
import { documentation } from './http/routes/documentation.ts'
import { health, type WorkersState } from './http/routes/health.ts'
import { openaiRoutes } from './http/routes/openai.ts'
import { createUpgrade, type Upgrade } from './http/upgrade.ts'
import { type Admission, createAdmission } from './limits/admission.ts'
import { createFailingRepeats } from './limits/failing-repeats.ts'
import { MemoryBudget } from './limits/memory-budget.ts'
import { createLive } from './live.ts'
import { createPartsMaker, type Serving } from './live-parts.ts'
import { maskAnswers } from './masked-send.ts'
import { ApiError } from './openai/api-error.ts'
import { addDebugHeaders } from './own-headers.ts'
import type { PipelineDeps } from './pipeline.ts'
import { createRememberedIds } from './router/remembered-ids.ts'
import { createRetryBudget } from './router/retry.ts'
import type { RouterDeps } from './router/router.ts'
import type { Store } from './store/store.ts'
import { standalone } from './stream/body-note.ts'
import type { Outcome } from './stream/outcome.ts'
import type { Log } from './telemetry/log.ts'
import { createRecorder, type Recorder } from './telemetry/record.ts'
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
  readonly lackBehind?: (cause: unknown) => unknown
  readonly sha256: (data: string | Uint8Array) => Uint8Array
  /** Opens a place where answers are kept, which can't hurt; throws where there is none. Absent: nothing is kept. */
  readonly openStore?: (cache: CacheSettings) => Store
  /** The user's own logic, loaded. */
  readonly extensions?: readonly LoadedExtension[]
  /** The clock of all time limits; one of its own where absent. */
  readonly deadlines?: Deadlines
  /** How the processes are that serve together; nothing where this one is alone. */
  readonly workers?: () => WorkersState
  /** Recording and replaying; absent: neither. */
  readonly cassettes?: Cassettes
}

/** NexCode on Web standards: a request in, a response out. */
export interface App {
  /** An edge of ours tells of the request's arrival, and reads the note beside the response (`stream/body-note.ts`). */
  readonly fetch: (request: Request, arrival?: Arrival) => Promise<Response>
  /** Decides on a WebSocket upgrade; the relay itself is the edge's. */
  readonly upgrade: (request: Request, arrival: Arrival) => Promise<Upgrade>
  readonly admission: Admission
  readonly deadlines: Deadlines
  /** What is held, all together: the edge counts what waits for its clients. */
  readonly memory: MemoryBudget
  /** Has the requests that come from now on go by other settings; those under way keep theirs. */
  readonly apply: (settings: Settings, extensions?: readonly LoadedExtension[]) => void
  /** Lets in, from now on, the holders of these tokens; requests under way go on. */
  readonly admit: (tokens: readonly ApiToken[]) => void
  /** Begins what goes on without requests: the active checks of upstreams. */
  readonly start: () => void
  /** Ends that, for good. */
  readonly stop: () => void
  /** Waits for what goes on behind answers, and closes what was opened. For the end, when no request is under way. */
  readonly close: () => Promise<void>
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
  const isOffline = deps.cassettes?.play?.isClosed === true
  const lendsToLocal = server.isLoopback && config.auth.lendsToLocal
  const { corsOrigins } = server
  const doorFor = (tokens: readonly ApiToken[]): Authorize =>
    createAuthorize({ ...config.auth, lendsToLocal, corsOrigins, tokens, isFree: isOffline, sha256 })
  let door = doorFor(config.auth.tokens)
  const authorize: Authorize = (headers) => door(headers)
  const admission = createAdmission(config.limits)
  const now = () => performance.now()
  const repeats = createFailingRepeats({ max: config.limits.failedRepeatsMax, now, sha256, log })
  const writeLine = createRecorder(log, { isDetailed: config.log.level === 'debug' || config.log.level === 'trace' })
  const record: Recorder = (exchange, outcome, bytes) => {
    repeats.ended(exchange, outcome)
    writeLine(exchange, outcome, bytes)
  }
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
  let live: Serving = { ...createLive(config.settings, routing), ...parts }
  const pipeline: PipelineDeps = {
    ...routing,
    live: () => live,
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
          createSend({ fetch, deadlines, firstByteMs: timeouts.firstByteMs, lackBehind: deps.lackBehind }),
          deadlines,
        ),
    sleep,
    retryBudget: createRetryBudget(admission.inFlight),
    hedgeBudget: createRetryBudget(admission.inFlight, 1),
    admission,
    loops: createLoopGuard(),
    repeats,
    cassettes: deps.cassettes,
    log,
  }

  const checks = createHealthChecks(pipeline)
  const targets = () => (live.settings.hasFile && !isOffline ? live.router.states() : undefined)
  const readiness = { admission, authorize, targets, workers: deps.workers }
  const routes = new Elysia({ name: 'nexcode/app', normalize: false, handler: { standardHostname: false } })
    .use(errorHandler(log))
    .use(health(readiness))
    .use(documentation({ version, authorize, isTls: server.tls !== undefined }))
    .use(openaiRoutes(pipeline, authorize))

  const open = (request: Request, arrival: Arrival): Exchange => {
    const exchange = openExchange(request, arrival, record)
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
      live = { ...createLive(settings, routing, live), ...parts }
      if (!isOffline) checks.watch(live)
    },
    admit(tokens) {
      door = doorFor(tokens)
    },
    start() {
      if (!isOffline) checks.watch(live)
    },
    stop: checks.stop,
    async close() {
      await parts.chain.settle()
      // What runs on without its client is to be kept, too.
      await parts.once.idempotency.idle()
      await parts.reuse?.close()
    },
    upgrade: createUpgrade({ open, authorize, pipeline, log }),
    async fetch(request, arrival) {
      const exchange = open(request, arrival ?? arrivalOf(request))
      let response: Response
      try {
        guardRequest(request.method, exchange.target, request.headers)
        response = cors.preflight(request) ?? (await routes.fetch(request))
      } catch (thrown) {
        response = answerError(thrown, exchange, log)
      }
      cors.allow(request, response)
      // The upstream's answers have theirs by now.
      if (!exchange.isDelivered) {
        if (!response.headers.has('x-request-id')) response.headers.set('x-request-id', exchange.id)
        if (live.settings.debugHeaders && exchange.attempts > 0) addDebugHeaders(response.headers, exchange)
      }
      if (!exchange.isTapped) {
        if (exchange.status === 0) exchange.status = response.status
        exchange.end(COMPLETE, Number(response.headers.get('content-length') ?? 0))
      }
      return arrival === undefined ? standalone(response) : response
    },
  }
}
