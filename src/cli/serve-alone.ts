import { constants } from 'node:os'
import type { Config } from '../config/config.ts'
import { announce } from './announce.ts'
import { surviveDefects } from './defects.ts'
import { DRAINING, type Ending, endGracefully } from './end-gracefully.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { explainListenFailure } from './listen-failure.ts'
import { openProcessLog } from './open-process-log.ts'

const FAILED = 1

/** Serves in this process, and goes on until a signal ends it. */
export async function serveAlone(config: Config): Promise<number | undefined> {
  const { log, flush, settle } = await openProcessLog(config.log)
  surviveDefects(log, flush)
  let gateway: Gateway
  try {
    gateway = await startGateway(config, log)
  } catch (cause) {
    flush()
    process.stderr.write(`${explainListenFailure(cause, config.server)}\n`)
    return FAILED
  }
  // Before the first word: whoever has read that the server is there may end it.
  endOnSignals({ gateway, log, settle })
  await announce(config, gateway.url, log)
  return undefined
}

function endOnSignals(ending: Ending): void {
  let isEnding = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(128 + constants.signals[signal])
      isEnding = true
      ending.log.info({ signal }, DRAINING)
      endGracefully(ending)
    })
  }
}
