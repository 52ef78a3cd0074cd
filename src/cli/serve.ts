import { lookup } from 'node:dns/promises'
import { constants } from 'node:os'
import { getProxyForUrl } from 'proxy-from-env'
import type { Config } from '../config/config.ts'
import type { Log } from '../telemetry/log.ts'
import { type OpenLog, openLog } from '../telemetry/open-log.ts'
import { describeServer, renderBanner } from './banner.ts'
import { readConfiguration } from './configuration.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { explainListenFailure } from './listen-failure.ts'
import { VERSION } from './version.ts'

const INVALID = 2
const FAILED = 1

/** Starts the server and goes on until a signal ends it. */
export async function serve(): Promise<number | undefined> {
  const config = readConfiguration(process.env)
  if (config === undefined) return INVALID
  const { log, flush, settle } = openLog(config.log)
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
  endOnSignals(gateway, log, settle)
  if (config.log.format === 'json') log.info(describeServer(config, gateway.url, VERSION), 'listening')
  else process.stdout.write(renderBanner(describeServer(config, gateway.url, VERSION)))
  await warnOfUnknownUpstream(config, log)
  return undefined
}

/** No request can end the process: what nobody caught is a defect, goes to the log, and the others go on. */
function surviveDefects(log: Log, flush: () => void): void {
  process.on('unhandledRejection', (cause) => log.error({ err: cause }, 'unhandled rejection'))
  process.on('uncaughtException', (cause) => log.error({ err: cause }, 'uncaught exception'))
  process.on('exit', flush)
}

function endOnSignals(gateway: Gateway, log: Log, settle: OpenLog['settle']): void {
  let isEnding = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(128 + constants.signals[signal])
      isEnding = true
      log.info({ signal }, 'draining: requests under way may finish; a second signal ends them')
      gateway
        .drain()
        .then((isDone) => log.info({ complete: isDone }, 'stopped'))
        .then(settle)
        .catch((cause: unknown) => log.error({ err: cause }, 'stopped badly'))
        .finally(() => process.exit(0))
    })
  }
}

async function warnOfUnknownUpstream(config: Config, log: Log): Promise<void> {
  // A proxy resolves names itself.
  if (getProxyForUrl(config.upstream.baseUrl) !== '') return
  const { hostname } = new URL(config.upstream.baseUrl)
  await lookup(hostname.replace(/^\[|\]$/g, '')).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    log.warn(
      { upstream: hostname, cause: code },
      `the upstream's name ${hostname} does not resolve: check OPENAI_API_BASE and this machine's DNS`,
    )
  })
}
