import { announce } from './announce.ts'
import type { Configuration } from './configuration.ts'
import { surviveDefects } from './defects.ts'
import { endOnSignals } from './end-gracefully.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { openProcessLog } from './open-process-log.ts'
import { reloadOnChange } from './reload.ts'
import { explainStartFailure } from './start-failure.ts'

/** Serves in this process, and goes on until a signal ends it. */
export async function serveAlone(configuration: Configuration): Promise<number | undefined> {
  const { config } = configuration
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  let gateway: Gateway
  try {
    gateway = await startGateway(config, log)
  } catch (cause) {
    flush()
    const { text, code } = explainStartFailure(cause, config.server)
    process.stderr.write(text)
    return code
  }
  // Before the first word: whoever has read that the server is there may end it.
  endOnSignals({ gateway, log, settle })
  await reloadOnChange({ configuration, log, apply: gateway.apply })
  await announce(configuration, gateway.url, log)
  return undefined
}
