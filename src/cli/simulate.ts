import { integer } from '../config/scalar-kinds.ts'
import { readConfiguration } from '../process/configuration.ts'
import { openProcessLog } from '../process/open-process-log.ts'
import { VERSION } from '../process/program.ts'
import { explainListenFailure, INVALID } from '../process/start-failure.ts'
import type { Flags } from './flags.ts'
import { type SimulatedServer, startSimulatedServer } from './simulated-server.ts'

const FAILED = 1
/** The port next to NexCode's own, so that both can run with their defaults. */
const PORT_DEFAULT = '8001'
const LOOPBACK = '127.0.0.1'

/** Starts the simulated OpenAI alone, until a signal ends it. Gives the exit code when it can't start, and undefined when it serves. */
export async function simulate({ port: given = PORT_DEFAULT }: Pick<Flags, 'port'>): Promise<number | undefined> {
  const port = integer(0, 65_535).parse(given)
  if (!port.ok) {
    process.stderr.write(`nexcode simulate: --port ${port.fault.wrong}. ${port.fault.cure}\n`)
    return INVALID
  }
  // Only the address and the log are taken from the environment: all else configures a gateway.
  const { HOST, LOG_LEVEL, LOG_FORMAT } = process.env
  const config = readConfiguration({ HOST: HOST || LOOPBACK, LOG_LEVEL, LOG_FORMAT })
  if (config === undefined) return INVALID
  const { log, settle } = await openProcessLog(config.log)
  const { host } = config.server
  let simulated: SimulatedServer
  try {
    simulated = startSimulatedServer({ hostname: host, port: port.value })
  } catch (cause) {
    process.stderr.write(`${explainListenFailure(cause, { host, port: port.value }, '--port')}\n`)
    return FAILED
  }
  endOnSignals(simulated, settle)
  const { url } = simulated
  if (config.log.format === 'json') {
    log.info({ version: VERSION, url, base_url: `${url}/v1`, upstream: 'none: it is simulated' }, 'listening')
  } else process.stdout.write(renderBanner(url))
  return undefined
}

function renderBanner(url: string): string {
  return `
  A simulated OpenAI (no model, no key, no network)

  base_url   ${url}/v1
  NexCode    OPENAI_API_BASE=${url}/v1 nexcode
  curl       curl ${url}/v1/chat/completions -H 'Content-Type: application/json' \\
               -d '{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"Hello"}]}'
  faults     ask for model "simulate-429", "simulate-500", "simulate-delay-2000", "simulate-reset"

  Stop with Ctrl-C.

`
}

function endOnSignals(simulated: SimulatedServer, settle: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      simulated.close()
      void settle().finally(() => process.exit(0))
    })
  }
}
