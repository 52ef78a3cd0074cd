import { announce } from './announce.ts'
import type { Configuration } from './configuration.ts'
import { endOnSignals } from './end-on-signals.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { openProcessLog, surviveDefects } from './open-process-log.ts'
import { reloadOnChange } from './reload.ts'
import { explainStartFailure } from './start-failure.ts'

/** Serves in this process until a signal ends it. Gives the exit code when it can't start, and undefined when it serves. */
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
  // Before the first message: a program that has read that the server listens may end it.
  endOnSignals({ gateway, log, settle })
  await reloadOnChange({ configuration, log, apply: gateway.apply })
  await announce(configuration, gateway.url, log)
  return undefined
}
