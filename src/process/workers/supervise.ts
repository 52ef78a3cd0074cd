import { constants } from 'node:os'
import type { Settings } from '../../config/settings.ts'
import { loadAll } from '../../extensions/load/load-all.ts'
import type { Log } from '../../telemetry/log.ts'
import type { OpenLog } from '../../telemetry/open-log.ts'
import { announce } from '../announce.ts'
import type { Configuration } from '../configuration.ts'
import { DRAINING } from '../end-on-signals.ts'
import { assertPortIsFree } from '../listen-checks.ts'
import { openProcessLog, surviveDefects } from '../open-process-log.ts'
import { reloadOnChange } from '../reload.ts'
import { serverUrl } from '../server-url.ts'
import { explainListenFailure } from '../start-failure.ts'
import { WorkerPool } from './worker-pool.ts'

const FAILED = 1

/**
 * Runs the worker processes until a signal ends it: starts them, restarts them, and passes signals on. The supervisor serves nothing
 * itself, and so loads none of the code that serves; it loads extensions only to try a change of theirs. Gives the exit code when the
 * workers can't start, and undefined when they serve.
 */
export async function supervise(configuration: Configuration): Promise<number | undefined> {
  const { config } = configuration
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  try {
    assertPortIsFree(config.server)
  } catch (cause) {
    process.stderr.write(`${explainListenFailure(cause, config.server)}\n`)
    return FAILED
  }
  const pool = new WorkerPool(config, log)
  // Before the first worker starts: a signal must not leave any behind.
  endOnSignals(pool, log, settle)
  // Before the first worker, too: a signal to reload must not end workers that start.
  await reloadOnChange({
    configuration,
    log,
    async apply(changed, part) {
      // All workers take it over, or none: extensions that can't be loaded here can't be loaded there.
      if (part === 'settings') {
        await loadAll(changed.settings)
        // Loaded on demand, since they load code that serves.
        const [{ refuseOwnAddress }, { createProcessFetch: openWayOut }] = await Promise.all([
          import('../own-address.ts'),
          import('../process-fetch.ts'),
        ])
        const at = { ...config.server, port: pool.port }
        await refuseOwnAddress(changed.settings, at, openWayOut().proxyFor)
        if (changed.settings.ledger.store !== undefined) await assertKeysDeclaredOnce(changed.settings)
      }
      pool.apply(changed, part)
    },
  })
  const started = await pool.start()
  if ('code' in started) return started.code
  await announce(configuration, serverUrl(config.server, started.port), log)
  return undefined
}

/** Rejects where the file declares one key twice, perhaps once as its digest. */
async function assertKeysDeclaredOnce({ records }: Settings): Promise<void> {
  const [{ declaredRecords }, { sha256 }] = await Promise.all([
    import('../../ledger/declared-records.ts'),
    import('../sha256.ts'),
  ])
  declaredRecords(records, sha256, 0)
}

function endOnSignals(pool: WorkerPool, log: Log, settle: OpenLog['settle']): void {
  let count = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      count += 1
      const code = 128 + constants.signals[signal]
      if (count === 2) void pool.end(code).finally(() => process.exit(code))
      if (count > 1) return
      log.info({ signal }, DRAINING)
      pool
        .drain(signal)
        .then((isComplete) => log.info({ complete: isComplete }, 'stopped'))
        .then(settle)
        .catch((cause: unknown) => log.error({ err: cause }, 'stopped badly'))
        .finally(() => process.exit(0))
    })
  }
}
