import type { CassetteWriter } from '../../cassettes/cassette-folder.ts'
import type { Cassettes } from '../../cassettes/cassettes.ts'
import { type CassetteRecorder, createCassetteRecorder, type RecorderDeps } from '../../cassettes/recorder.ts'
import type { Config } from '../../config/config.ts'
import type { Log } from '../../telemetry/log.ts'
import { logWarnings } from '../announce.ts'
import { describeServer, renderBanner, type ServerDescription } from '../banner.ts'
import type { Configuration } from '../configuration.ts'
import { endOnSignals } from '../end-on-signals.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { openProcessLog, surviveDefects } from '../open-process-log.ts'
import { VERSION } from '../program.ts'
import { reloadOnChange } from '../reload.ts'
import { sha256 } from '../sha256.ts'
import { explainStartFailure } from '../start-failure.ts'

/** A gateway with cassettes. */
export interface CassetteServer {
  readonly configuration: Configuration
  readonly cassettesFor: (log: Log) => Cassettes
  /** Called with the configuration at first and when it changes; may give another in its place. */
  readonly onConfig: (config: Config) => Config
  /** Gives the lines of the banner that differ for such a server. */
  readonly describe: (server: ServerDescription) => Partial<ServerDescription>
}

/** Serves in this process until a signal ends it, and writes all that was recorded by then. Gives the exit code when it can't start. */
export async function serveCassettes(server: CassetteServer): Promise<number | undefined> {
  const { configuration, cassettesFor, onConfig, describe } = server
  const { config, source } = configuration
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  const cassettes = cassettesFor(log)
  let gateway: Gateway
  try {
    gateway = await startGateway(onConfig(config), log, undefined, cassettes)
  } catch (cause) {
    flush()
    const { text, code } = explainStartFailure(cause, config.server)
    process.stderr.write(text)
    return code
  }
  endOnSignals({ gateway, log, settle: () => cassettes.settle().then(settle) })
  await reloadOnChange({ configuration, log, apply: (changed, part) => gateway.apply(onConfig(changed), part) })
  const described = describeServer(config, gateway.url, VERSION, source.file)
  const shown = { ...described, ...describe(described) }
  if (config.log.format === 'json') {
    log.info(shown, 'listening')
    logWarnings(configuration, log)
  } else process.stdout.write(renderBanner(shown, 1, configuration.warnings))
  return undefined
}

/**
 * Makes a recorder with this platform's clocks and digest.
 *
 * @example
 * const recorder = createProcessRecorder(writer, { log, secrets: () => secrets })
 */
export function createProcessRecorder(
  writer: CassetteWriter,
  deps: Pick<RecorderDeps, 'log' | 'secrets' | 'onWritten'>,
): CassetteRecorder {
  return createCassetteRecorder({ ...deps, writer, sha256, now: () => performance.now(), date: () => new Date() })
}
