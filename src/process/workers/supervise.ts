import { constants } from 'node:os'
import { loadAll } from '../../extensions/load/load-all.ts'
import type { Log } from '../../telemetry/log.ts'
import type { OpenLog } from '../../telemetry/open-log.ts'
import { announce } from '../announce.ts'
import { claimPort } from '../claim-port.ts'
import type { Configuration } from '../configuration.ts'
import { surviveDefects } from '../defects.ts'
import { DRAINING } from '../end-gracefully.ts'
import { explainListenFailure } from '../listen-failure.ts'
import { openProcessLog } from '../open-process-log.ts'
import { reloadOnChange } from '../reload.ts'
import { serverUrl } from '../server-url.ts'
import { type Crew, createCrew } from './crew.ts'

const FAILED = 1

/**
 * Looks after the processes that serve, and goes on until a signal ends it: starts them, starts them again, passes on
 * what ends them. It serves nothing itself, and so loads nothing of what does; extensions only to try a change of theirs.
 */
export async function supervise(configuration: Configuration): Promise<number | undefined> {
  const { config } = configuration
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  try {
    claimPort(config.server)
  } catch (cause) {
    process.stderr.write(`${explainListenFailure(cause, config.server)}\n`)
    return FAILED
  }
  const crew = createCrew(config, log)
  // Before the first worker: a signal must not leave any behind.
  endOnSignals(crew, log, settle)
  // And this: a signal to reload must not end what is starting.
  await reloadOnChange({
    configuration,
    log,
    async apply(changed, part) {
      // All of them take it over, or none: what can't be loaded here can't be loaded there.
      if (part === 'settings') {
        await loadAll(changed.settings)
        // Loaded where it is needed, with what serves below it.
        const [{ refuseOwnAddress }, { openWayOut }] = await Promise.all([
          import('../own-address.ts'),
          import('../way-out.ts'),
        ])
        const at = { ...config.server, port: crew.port() }
        await refuseOwnAddress(changed.settings, at, openWayOut().proxyFor)
      }
      crew.apply(changed, part)
    },
  })
  const started = await crew.start()
  if ('code' in started) return started.code
  await announce(configuration, serverUrl(config.server, started.port), log)
  return undefined
}

function endOnSignals(crew: Crew, log: Log, settle: OpenLog['settle']): void {
  let count = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      count += 1
      const code = 128 + constants.signals[signal]
      if (count === 2) void crew.end(code).finally(() => process.exit(code))
      if (count > 1) return
      log.info({ signal }, DRAINING)
      crew
        .drain(signal)
        .then((isComplete) => log.info({ complete: isComplete }, 'stopped'))
        .then(settle)
        .catch((cause: unknown) => log.error({ err: cause }, 'stopped badly'))
        .finally(() => process.exit(0))
    })
  }
}
