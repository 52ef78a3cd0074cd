import type { Config } from '../../config/config.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import { DRAINING, type Ending, endGracefully } from '../end-on-signals.ts'
import { type ConfigurationPart, startGateway } from '../gateway.ts'
import { openProcessLog, surviveDefects } from '../open-process-log.ts'
import { explainStartFailure } from '../start-failure.ts'
import { type FromWorker, type StartMessage, type ToWorker, unpackConfig } from './messages.ts'
import { createRemoteClaims } from './remote-claims.ts'

/**
 * Serves as one of several processes, until its supervisor ends it or is gone. Gives the exit code when it can't start.
 *
 * Signals may come to the worker too, since a terminal and an init system send theirs to all processes at once. The supervisor gets
 * the same signal, so the worker ignores a second one: the supervisor decides what it means.
 */
export async function runWorker(): Promise<number | undefined> {
  const remote = createRemoteClaims(tell)
  const begun = Promise.withResolvers<StartMessage>()
  let state: WorkersState | undefined
  let ending: Ending | undefined
  let isEnding = false
  const early: (readonly [Config, ConfigurationPart])[] = []

  const leave = (fields: object, words: string): void => {
    if (isEnding) return
    isEnding = true
    // No request has been served yet.
    if (ending === undefined) process.exit(0)
    ending.log.info(fields, words)
    endGracefully(ending, (isComplete) => tell({ kind: 'stopped', isComplete }))
  }
  // Changes that arrive while the gateway starts are applied right after it.
  const apply = (config: Config, part: ConfigurationPart): void => {
    if (ending === undefined) return void early.push([config, part])
    const { gateway, log } = ending
    gateway.apply(config, part).catch((err: unknown) => log.error({ err, part }, 'another configuration was not taken'))
  }
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'start') begun.resolve(message)
    else if (message.kind === 'state') state = message.state
    else if (message.kind === 'configuration') apply(unpackConfig(message.config), message.part)
    else if (message.kind === 'claimed') remote.hear(message)
    else if (message.kind === 'ping') tell({ kind: 'pong' })
    else if (message.kind === 'drain') leave({ signal: message.signal }, DRAINING)
    else process.exit(message.code)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => leave({ signal }, DRAINING))
  // A terminal sends SIGHUP to all processes; the supervisor is the one to reload the configuration.
  process.on('SIGHUP', () => undefined)
  // Without a supervisor, no other process would end or replace this one: it must not keep the port.
  process.on('disconnect', () => {
    remote.lose()
    leave({}, 'the supervisor is gone: requests under way may finish')
  })

  const start = await begun.promise
  const config = unpackConfig(start.config)
  const { log, flush, settle } = await openProcessLog({ ...config.log, worker: start.worker })
  surviveDefects(log, flush)
  try {
    const gateway = await startGateway(config, log, { state: () => state ?? start.state, claims: remote.claims })
    ending = { gateway, log, settle }
    for (const [changed, part] of early) await gateway.apply(changed, part)
    tell({ kind: 'listening', port: gateway.port })
  } catch (cause) {
    flush()
    const { text, code } = explainStartFailure(cause, config.server)
    process.stderr.write(text)
    return code
  }
  return undefined
}

/** Sends a message to the supervisor. When that is gone, which is an event of its own, nothing is sent. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
