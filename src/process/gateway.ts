import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import { type App, startHttpServer } from '../server/http-server.ts'
import type { HttpServer } from '../server/http1/listen.ts'
import type { Log } from '../telemetry/log.ts'
import { assembleApp, type WorkerContext } from './assemble-app.ts'
import { assertPortIsFree } from './listen-checks.ts'
import { refuseOwnAddress } from './own-address.ts'
import { serverUrl } from './server-url.ts'

/** The parts of a configuration that can be replaced while it is in force. */
export type ConfigurationPart = 'settings' | 'tokens' | 'tls'

/** Puts one part of another configuration in force, for requests from now on. Rejects when that can't be: then nothing changes. */
export type Apply = (config: Config, part: ConfigurationPart) => Promise<void>

/** A gateway that runs. */
export interface Gateway {
  /** The URL as a person types it into a browser or a `base_url`, without `/v1`. */
  readonly url: string
  readonly port: number
  readonly apply: Apply
  /**
   * Lets the requests under way finish, for the configuration's drain time at most, and closes.
   * Resolves with whether all of them came to their own end.
   */
  readonly drain: () => Promise<boolean>
  /** Breaks every connection and closes at once. */
  readonly abandon: () => Promise<void>
}

/** How long readiness says 503 before the port closes, so that a load balancer can notice. */
const NOTICE_MS = 250
/** How long a request that is broken off has to say so: by an error event, and a line of the log. */
const LAST_WORDS_MS = 250
/** How long the books have, behind the drain time, to take what has ended with it. */
const BOOKS_MS = 2000

/**
 * Starts the gateway: the app of Web standards with this platform's fetch, digest and server. A worker shares the port with the
 * others; `workers` gives their state, and their claims.
 *
 * Rejects with an `ExtensionsError`, an `OpenLedgerError`, an `OwnAddressError`, a `StoreError`, or the system's error where it can't listen.
 *
 * @example
 * const gateway = await startGateway(config, log)
 */
export async function startGateway(
  config: Config,
  log: Log,
  workers?: WorkerContext,
  cassettes?: Cassettes,
): Promise<Gateway> {
  const { app, proxyFor, apply } = await assembleApp(config, log, workers, cassettes)
  const isOffline = cassettes?.isClosed === true
  const refuseOwn = async (settings: Settings, port: number): Promise<void> => {
    if (!isOffline) await refuseOwnAddress(settings, { ...config.server, port }, proxyFor)
  }
  // With TLS, another certificate is served by another socket on the same port.
  const reusePort = workers !== undefined || config.server.tls !== undefined
  if (reusePort && workers === undefined) assertPortIsFree(config.server)
  const server = await startHttpServer({ app, config, log, proxyFor, reusePort })
  // Not before it listens: an address that it can't listen on is another program's.
  await refuseOwn(config.settings, server.port).catch(async (cause: unknown) => {
    server.closeAll()
    await server.close()
    throw cause
  })
  app.start()
  return {
    port: server.port,
    async apply({ settings, auth, adminKey, server: { tls } }, part) {
      if (part === 'tokens') app.admit({ tokens: auth.tokens, adminKey })
      else if (part === 'tls' && tls !== undefined) server.useTls(tls)
      else if (part === 'settings') {
        await refuseOwn(settings, server.port)
        await apply(settings)
      }
    },
    url: serverUrl(config.server, server.port),
    drain: () => drain(app, server, config.timeouts.drainMs),
    async abandon() {
      app.stop()
      const closed = server.close()
      server.closeAll()
      await Promise.all([closed, Promise.race([app.close(), sleep(LAST_WORDS_MS)])])
    },
  }
}

/** Drains a gateway: `drainMs` at most, 0 for no limit. Resolves with whether every request came to its own end. */
async function drain(app: App, server: HttpServer, drainMs: number): Promise<boolean> {
  app.stop()
  const isOver = drainMs === 0 ? new Promise<never>(() => undefined) : sleep(drainMs).then(() => false)
  const idle = app.admission.drain()
  if (!app.admission.isIdle()) await Promise.race([idle, sleep(NOTICE_MS), isOver])
  const done = Promise.all([idle, server.close()]).then(() => true)
  const isDone = await Promise.race([done, isOver])
  if (!isDone) {
    server.breakOff()
    await Promise.race([done, sleep(LAST_WORDS_MS)])
  }
  server.closeAll()
  await Promise.race([app.close(), isOver])
  // Also what has gone on until the end of the time is in the books.
  await Promise.race([app.closeBooks(), sleep(BOOKS_MS)])
  return isDone
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
