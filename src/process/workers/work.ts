import type { Config } from '../../config/config.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import { surviveDefects } from '../defects.ts'
import { DRAINING, type Ending, endGracefully } from '../end-gracefully.ts'
import { type ConfigurationPart, startGateway } from '../gateway.ts'
import { openProcessLog } from '../open-process-log.ts'
import { explainStartFailure } from '../start-failure.ts'
import { type FromWorker, type StartMessage, type ToWorker, unpackConfig } from './messages.ts'
import { createSupervisorsClaims } from './supervisors-claims.ts'

/**
 * Serves as one of several processes, and goes on until its supervisor ends it, or is no more.
 *
 * A signal may come here too, since a terminal and an init system send theirs to all processes at once. It means what
 * it meant to the supervisor, so the second is none: that is the supervisor's to tell.
 */
export async function work(): Promise<number | undefined> {
  const once = createSupervisorsClaims(tell)
  const begun = Promise.withResolvers<StartMessage>()
  let state: WorkersState | undefined
  let ending: Ending | undefined
  let isEnding = false
  const early: (readonly [Config, ConfigurationPart])[] = []

  const leave = (fields: object, words: string): void => {
    if (isEnding) return
    isEnding = true
    // Nobody was let in yet.
    if (ending === undefined) process.exit(0)
    ending.log.info(fields, words)
    endGracefully(ending, (isComplete) => tell({ kind: 'stopped', isComplete }))
  }
  // What comes while the gateway starts is what it begins with.
  const apply = (config: Config, part: ConfigurationPart): void => {
    if (ending === undefined) return void early.push([config, part])
    const { gateway, log } = ending
    gateway.apply(config, part).catch((err: unknown) => log.error({ err, part }, 'another configuration was not taken'))
  }
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'start') begun.resolve(message)
    else if (message.kind === 'state') state = message.state
    else if (message.kind === 'configuration') apply(unpackConfig(message.config), message.part)
    else if (message.kind === 'claimed') once.hear(message)
    else if (message.kind === 'ping') tell({ kind: 'pong' })
    else if (message.kind === 'drain') leave({ signal: message.signal }, DRAINING)
    else process.exit(message.code)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => leave({ signal }, DRAINING))
  // A terminal sends it to all processes; reading the configuration anew is the supervisor's.
  process.on('SIGHUP', () => undefined)
  // Nobody is left to end this process, or to start another: it must not keep the port.
  process.on('disconnect', () => {
    once.lose()
    leave({}, 'the supervisor is gone: requests under way may finish')
  })

  const start = await begun.promise
  const config = unpackConfig(start.config)
  const { log, flush, settle } = await openProcessLog({ ...config.log, worker: start.worker })
  surviveDefects(log, flush)
  try {
    const gateway = await startGateway(config, log, { state: () => state ?? start.state, claims: once.claims })
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

/** A supervisor that is no more hears nothing; that it is gone is an event of its own. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
