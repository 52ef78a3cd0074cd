import { createApp } from '../app.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Config } from '../config/config.ts'
import { areSameConfigs } from '../config/open-secrets.ts'
import type { Settings } from '../config/settings.ts'
import { loadAll } from '../extensions/load/load-all.ts'
import type { App } from '../server/http-server.ts'
import type { WorkersState } from '../server/routes/health.ts'
import type { Claims } from '../storage/claims.ts'
import type { Log } from '../telemetry/log.ts'
import { diagnoseConnectFailure } from '../upstream/exact/diagnose-connect-failure.ts'
import { warmUpFetch } from '../upstream/exact/exact-fetch.ts'
import { collectWhenQuiet } from './collect-when-quiet.ts'
import { openCacheStore } from './open-cache-store.ts'
import { openLedgerParts } from './open-ledger-parts.ts'
import { createProcessFetch } from './process-fetch.ts'
import { VERSION } from './program.ts'
import { sha256 } from './sha256.ts'

/** A worker's view of the other workers. */
export interface WorkerContext {
  readonly state: () => WorkersState
  /** The claims of all workers together, where they share no store. */
  readonly claims: Claims
}

/** The app with this platform's parts. */
export interface AssembledApp {
  readonly app: App
  readonly proxyFor: ReturnType<typeof createProcessFetch>['proxyFor']
  /** Puts other settings in force. Rejects, and changes nothing, where they can't be used. */
  readonly apply: (settings: Settings) => Promise<void>
}

/**
 * Makes the app of Web standards with this platform's fetch and digest, the user's extensions, and the books where there is a ledger.
 *
 * Rejects with an `ExtensionsError`, a `StoreError` or an `OpenLedgerError`.
 *
 * @example
 * const { app, proxyFor, apply } = await assembleApp(config, log)
 */
export async function assembleApp(
  config: Config,
  log: Log,
  workers?: WorkerContext,
  cassettes?: Cassettes,
): Promise<AssembledApp> {
  const { fetch, proxyFor } = createProcessFetch()
  warmUpFetch(process.env)
  const { settings } = config
  const extensions = await loadAll(settings)
  // Where only cassettes answer, nothing is used and nobody needs a key.
  const ledger =
    cassettes?.isClosed === true
      ? undefined
      : await openLedgerParts(settings, { log, sha256, isWorker: workers !== undefined })
  const app = createApp({
    config,
    extensions,
    openStore: (cache) => openCacheStore(cache, log, workers?.claims),
    version: VERSION,
    log,
    fetch,
    diagnoseConnectFailure,
    sha256,
    observers: [collectWhenQuiet()],
    ...(workers !== undefined && { workers: workers.state }),
    ...(cassettes !== undefined && { cassettes }),
    ...ledger?.parts,
  })
  return {
    app,
    proxyFor,
    async apply(changed) {
      const loaded = await loadAll(changed)
      if (!areSameStores(changed, settings)) log.warn({}, OTHER_LEDGER)
      await ledger?.take(changed)
      app.apply(changed, loaded)
    },
  }
}

const OTHER_LEDGER = 'another ledger is set up in the file: it is opened at the next start, and the old one goes on'

function areSameStores({ ledger }: Settings, { ledger: opened }: Settings): boolean {
  return areSameConfigs([ledger.store, ledger.limits], [opened.store, opened.limits])
}
