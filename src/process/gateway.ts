import { createApp } from '../app.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import { loadAll } from '../extensions/load/load-all.ts'
import { startHttpServer } from '../server/http-server.ts'
import type { WorkersState } from '../server/routes/health.ts'
import type { Claims } from '../storage/claims.ts'
import type { Log } from '../telemetry/log.ts'
import { diagnoseConnectFailure } from '../upstream/exact/diagnose-connect-failure.ts'
import { warmUpFetch } from '../upstream/exact/exact-fetch.ts'
import { claimPort } from './claim-port.ts'
import { openCacheStore } from './open-cache-store.ts'
import { refuseOwnAddress } from './own-address.ts'
import { serverUrl } from './server-url.ts'
import { sha256 } from './sha256.ts'
import { VERSION } from './version.ts'
import { openWayOut } from './way-out.ts'

/** What of a configuration can be replaced while it serves. */
export type ConfigurationPart = 'settings' | 'tokens' | 'tls'

/** Has what comes from now on go by one part of another configuration. Rejects where that can't be: then it stays as it was. */
export type Apply = (config: Config, part: ConfigurationPart) => Promise<void>

/** A gateway that runs. */
export interface Gateway {
  /** As a person types it into a browser or a `base_url`, without `/v1`. */
  readonly url: string
  readonly port: number
  readonly apply: Apply
  /**
   * Lets the requests under way end, for the configuration's drain time at most, and closes.
   * Gives whether all of them ended by themselves.
   */
  readonly drain: () => Promise<boolean>
  /** Breaks every connection and closes at once. */
  readonly abandon: () => Promise<void>
}

/** What one of several processes knows of the others. */
export interface OneOfWorkers {
  readonly state: () => WorkersState
  /** What is made once by all of them together, where they share no store. */
  readonly claims: Claims
}

/** How long readiness says 503 before the door closes, so that a load balancer can notice. */
const NOTICE_MS = 250
/** How long what is broken off has to say so: an error event, a line of the log. */
const FAREWELL_MS = 250

/**
 * Starts the gateway: the app of Web standards with this platform's fetch, digest and server. Where it is one of several
 * processes, it shares the port with them, and `workers` tells how they are, and what they share.
 *
 * @example
 * const gateway = await startGateway(config, log)
 */
export async function startGateway(
  config: Config,
  log: Log,
  workers?: OneOfWorkers,
  cassettes?: Cassettes,
): Promise<Gateway> {
  const wayOut = openWayOut()
  warmUpFetch(process.env)
  const app = createApp({
    config,
    extensions: await loadAll(config.settings),
    openStore: (cache) => openCacheStore(cache, log, workers?.claims),
    version: VERSION,
    log,
    fetch: wayOut.fetch,
    diagnoseConnectFailure: diagnoseConnectFailure,
    sha256,
    ...(workers !== undefined && { workers: workers.state }),
    ...(cassettes !== undefined && { cassettes }),
  })
  const isOffline = cassettes?.play?.isClosed === true
  const refuseOwn = async (settings: Settings, port: number): Promise<void> => {
    if (!isOffline) await refuseOwnAddress(settings, { ...config.server, port }, wayOut.proxyFor)
  }
  // Another certificate is served by another socket on the same port.
  const reusePort = workers !== undefined || config.server.tls !== undefined
  if (reusePort && workers === undefined) claimPort(config.server)
  const server = await startHttpServer({
    app,
    config,
    log,
    proxyFor: wayOut.proxyFor,
    reusePort,
  })
  // Only now: where it can't listen, it is another program's address.
  await refuseOwn(config.settings, server.port).catch(async (cause: unknown) => {
    server.closeAll()
    await server.close()
    throw cause
  })
  app.start()
  return {
    port: server.port,
    async apply({ settings, auth, server: { tls } }, part) {
      if (part === 'tokens') app.admit(auth.tokens)
      else if (part === 'tls' && tls !== undefined) server.useTls(tls)
      else if (part === 'settings') {
        await refuseOwn(settings, server.port)
        app.apply(settings, await loadAll(settings))
      }
    },
    url: serverUrl(config.server, server.port),
    async drain() {
      const { drainMs } = config.timeouts
      app.stop()
      const isOver = drainMs === 0 ? new Promise<never>(() => undefined) : sleep(drainMs).then(() => false)
      const idle = app.admission.drain()
      if (!app.admission.isIdle()) await Promise.race([idle, sleep(NOTICE_MS), isOver])
      const done = Promise.all([idle, server.close()]).then(() => true)
      const isDone = await Promise.race([done, isOver])
      if (!isDone) {
        server.breakOff()
        await Promise.race([done, sleep(FAREWELL_MS)])
      }
      server.closeAll()
      await Promise.race([app.close(), isOver])
      return isDone
    },
    async abandon() {
      app.stop()
      const closed = server.close()
      server.closeAll()
      await Promise.all([closed, Promise.race([app.close(), sleep(FAREWELL_MS)])])
    },
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
