import { Elysia } from 'elysia'
import { createDoor } from './access/door.ts'
import type { createAlertWatch } from './administration/alert-watch.ts'
import type { Arrival, BodilessRequest } from './exchange/arrival.ts'
import type { Exchange, Observer } from './exchange/exchange.ts'
import { joinObservers } from './exchange/join-observers.ts'
import { type CoreDeps, createCore } from './gateway/core.ts'
import { ApiError } from './openai/api-error.ts'
import { createCors } from './server/cors.ts'
import { errorHandler } from './server/error-handler.ts'
import type { App } from './server/http-server.ts'
import { openExchange } from './server/request-context.ts'
import { documentation } from './server/routes/documentation.ts'
import { health, type WorkersState } from './server/routes/health.ts'
import { openaiRoutes } from './server/routes/openai.ts'
import type { organization as organizationRoutes } from './server/routes/organization.ts'
import { createFetch, createServe } from './server/serve.ts'
import { createUpgrade } from './server/upgrade.ts'
import { createLogObserver } from './telemetry/log-observer.ts'

/** The dependencies of the application: those of its core, and what HTTP adds. */
export interface AppDeps extends CoreDeps {
  /** Gives the state of the worker processes; absent: this process is alone. */
  readonly workers?: () => WorkersState
  /** Management of the ledger; needed beside `books`, and loaded for them alone: its shapes take megabytes. */
  readonly management?: {
    readonly organization: typeof organizationRoutes
    readonly createAlertWatch: typeof createAlertWatch
  }
  /** More observers of each exchange, beside the log. */
  readonly observers?: readonly Observer[]
}

/**
 * The composition root: HTTP around the core (`gateway/core.ts`). The order of the `.use()` lines is the order of the flow.
 *
 * @example
 * const app = createApp({ config, version, log, fetch, sha256 })
 * const response = await app.fetch(new Request('http://localhost/v1/models'))
 */
export function createApp(deps: AppDeps): App {
  const { config, version, log, books, management } = deps
  const { server } = config
  // What is answered from cassettes alone spends nobody's key.
  const isFree = deps.cassettes?.isClosed === true
  const door = createDoor({ config, isFree, sha256: deps.sha256, keys: books?.directory })
  const { authorize, admit } = door
  const core = createCore(deps)
  const { admission, deadlines, memory, flow } = core
  const hasLedger = books !== undefined
  const { organization = noRoutes, createAlertWatch } = management ?? {}

  const isDetailed = config.log.level === 'debug' || config.log.level === 'trace'
  const observer = joinObservers([core.repeats, createLogObserver(log, { isDetailed }), ...(deps.observers ?? [])])
  const { totalMs } = config.timeouts
  const open = (request: BodilessRequest, arrival: Arrival): Exchange => {
    const exchange = openExchange(request, arrival, observer)
    if (totalMs > 0) {
      exchange.total = deadlines.start(totalMs, () => exchange.abort.abort(new ApiError('upstream_timeout')))
      exchange.atEnd(() => exchange.total?.clear())
    }
    return exchange
  }

  const routes = new Elysia({ name: 'nexcode/app', normalize: false, handler: { standardHostname: false } })
    .use(errorHandler(log))
    .use(health({ admission, authorize, targets: core.targets, workers: deps.workers, books }))
    .use(documentation({ version, authorize, isTls: server.tls !== undefined }))
    .use(organization({ ...deps, ...door, memory }))
    .use(openaiRoutes(core, authorize, hasLedger))

  const alerts = books && createAlertWatch?.({ ...books, send: core.send, deadlines, now: Date.now, log })
  let closing: Promise<void> | undefined
  const closeBooks = async (): Promise<void> => {
    closing ??= books?.close()
    await closing
  }
  const cors = createCors(server.corsOrigins)
  const hasDebugHeaders = (): boolean => core.settings().debugHeaders
  const serve = createServe({ open, cors, routes, hasDebugHeaders, log })
  return {
    fetch: createFetch(serve),
    serve,
    upgrade: createUpgrade({ open, authorize, flow, hasLedger, log }),
    admission,
    deadlines,
    memory,
    admit,
    apply: core.apply,
    start() {
      core.start()
      alerts?.start()
    },
    stop() {
      core.stop()
      alerts?.stop()
    },
    async close() {
      await core.close()
      await closeBooks()
    },
    closeBooks,
  }
}

/** Stands in for routes that are switched off. */
function noRoutes() {
  return new Elysia()
}
