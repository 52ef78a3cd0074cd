import type { Config } from '../../config/config.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ConfigurationPart } from '../gateway.ts'
import { createClaimsOfWorkers } from './claims-of-workers.ts'
import { type EndSignal, packConfig, type ToWorker } from './messages.ts'
import { createSeat, type SeatEnd } from './seat.ts'
import { shareConfig } from './share-config.ts'

/** The workers of a supervisor. */
export interface Crew {
  /** Starts all of them. Gives their port when all are up, or the exit code of one that could not start. */
  readonly start: () => Promise<{ readonly port: number } | { readonly code: number }>
  /** Where they listen; 0: not known yet. */
  readonly port: () => number
  /** Has all of them, and those to come, go by one part of another configuration. */
  readonly apply: (config: Config, part: ConfigurationPart) => void
  /** Lets all of them end their requests. Gives, when the last has exited, whether every request came to its own end. */
  readonly drain: (signal: EndSignal) => Promise<boolean>
  /** Ends all of them at once, with an exit code. Resolves when the last has exited. */
  readonly end: (code: number) => Promise<void>
}

/** How long workers that are to end at once have to get their last lines out. */
const FAREWELL_MS = 500

/**
 * Makes the workers of a configuration, none of which runs yet.
 *
 * The first is started alone: it finds out the port where any will do, and what hinders it would hinder all of them.
 *
 * @example
 * const crew = createCrew(config, log)
 * const started = await crew.start()
 */
export function createCrew(initial: Config, log: Log): Crew {
  let config = initial
  const started = Promise.withResolvers<Awaited<ReturnType<Crew['start']>>>()
  const ended = Promise.withResolvers<void>()
  let phase: 'starting' | 'serving' | 'ending' = 'starting'
  let haveStarted = false
  let isComplete = true
  let { port } = config.server

  const start = () => ({ config: packConfig(shareConfig(config, port)), state: state() })
  const claims = createClaimsOfWorkers(() => config.settings.cache.bytesMax)
  const seats = Array.from({ length: config.workers }, (_one, at) =>
    createSeat(at + 1, { log, claims, start, onUp, onEnd }),
  )
  const state = (): WorkersState => ({ up: seats.filter(({ isUp }) => isUp()).length, of: seats.length, haveStarted })
  const tellAll = (message: ToWorker): void => {
    for (const seat of seats) seat.tell(message)
  }

  function onUp(itsPort: number): void {
    port = itsPort
    if (phase === 'starting') {
      for (const seat of seats) if (!seat.isTaken()) seat.fill()
      haveStarted = seats.every((seat) => seat.isUp())
      if (haveStarted) phase = 'serving'
    }
    tellAll({ kind: 'state', state: state() })
    if (haveStarted) started.resolve({ port })
  }

  function onEnd(end: SeatEnd): void {
    if (phase === 'ending') isComplete &&= end.isComplete
    // It has said why; none of the others would do better.
    if (phase === 'starting' && end.code) void endAll(end.code).then(() => started.resolve({ code: end.code ?? 1 }))
    tellAll({ kind: 'state', state: state() })
    if (phase === 'ending') endIfAllHave()
  }

  function closeSeats(): void {
    phase = 'ending'
    for (const seat of seats) seat.close()
    endIfAllHave()
  }

  function endIfAllHave(): void {
    if (!seats.some((seat) => seat.isTaken())) ended.resolve()
  }

  async function endAll(code: number): Promise<void> {
    closeSeats()
    tellAll({ kind: 'end', code })
    const late = setTimeout(() => {
      for (const seat of seats) seat.kill()
    }, FAREWELL_MS)
    await ended.promise
    clearTimeout(late)
  }

  return {
    start() {
      seats[0]?.fill()
      return started.promise
    },
    port: () => port,
    apply(changed, part) {
      config = changed
      tellAll({ kind: 'configuration', part, config: packConfig(shareConfig(changed, port)) })
    },
    async drain(signal) {
      closeSeats()
      tellAll({ kind: 'drain', signal })
      await ended.promise
      return isComplete
    },
    end: endAll,
  }
}
