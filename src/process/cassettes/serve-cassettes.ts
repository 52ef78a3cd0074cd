import type { Cassettes } from '../../cassettes/cassettes.ts'
import type { Config } from '../../config/config.ts'
import type { Log } from '../../telemetry/log.ts'
import { logWarnings } from '../announce.ts'
import { describeServer, renderBanner, type ServerDescription } from '../banner.ts'
import type { Configuration } from '../configuration.ts'
import { surviveDefects } from '../defects.ts'
import { type Ending, endOnSignals } from '../end-gracefully.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { openProcessLog } from '../open-process-log.ts'
import { reloadOnChange } from '../reload.ts'
import { explainStartFailure } from '../start-failure.ts'
import { VERSION } from '../version.ts'

/** A gateway with cassettes. */
export interface CassetteServer {
  readonly configuration: Configuration
  readonly cassettesFor: (log: Log) => Promise<Cassettes>
  /** Is told of the configuration that is served by, at first and when it changes, and may give another in its place. */
  readonly onConfig: (config: Config) => Config
  /** What the banner says differently of such a server. */
  readonly describe: (server: ServerDescription) => Partial<ServerDescription>
}

/** Serves in this one process, and goes on until a signal ends it; what has been recorded by then is written. */
export async function serveCassettes(server: CassetteServer): Promise<number | undefined> {
  const { configuration, cassettesFor, onConfig, describe } = server
  const { config, source } = configuration
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  const cassettes = await cassettesFor(log)
  let gateway: Gateway
  try {
    gateway = await startGateway(onConfig(config), log, undefined, cassettes)
  } catch (cause) {
    flush()
    const { text, code } = explainStartFailure(cause, config.server)
    process.stderr.write(text)
    return code
  }
  endOnSignals({ gateway, log, settle: () => settleAll(cassettes, settle) })
  await reloadOnChange({ configuration, log, apply: (changed, part) => gateway.apply(onConfig(changed), part) })
  const described = describeServer(config, gateway.url, VERSION, source.file)
  const shown = { ...described, ...describe(described) }
  if (config.log.format === 'json') {
    log.info(shown, 'listening')
    logWarnings(configuration, log)
  } else process.stdout.write(renderBanner(shown, 1, configuration.warnings))
  return undefined
}

async function settleAll({ record }: Cassettes, settle: Ending['settle']): Promise<void> {
  await record?.settle()
  await settle()
}
