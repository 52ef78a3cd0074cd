import type { Config } from '../../config/config.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ConfigurationPart } from '../gateway.ts'
import { createClaimsHub } from './claims-hub.ts'
import { type EndSignal, packConfig, type StartMessage, type ToWorker } from './messages.ts'
import { shareConfig } from './share-config.ts'
import { type SlotEnd, WorkerSlot } from './worker-slot.ts'

/** How long workers that are ended at once have to write their last lines. */
const LAST_LINES_MS = 500

/** The first start of all workers: their port when all are up, or the exit code of one that could not start. */
type Started = { readonly port: number } | { readonly code: number }

/**
 * The workers of a supervisor. None runs before `start`.
 *
 * The first worker is started alone: it finds a port where any will do, and its failure to start would be the others' failure, too.
 *
 * @example
 * const pool = new WorkerPool(config, log)
 * const started = await pool.start()
 */
export class WorkerPool {
  #config: Config
  readonly #slots: readonly WorkerSlot[]
  readonly #started = Promise.withResolvers<Started>()
  readonly #ended = Promise.withResolvers<void>()
  #phase: 'starting' | 'serving' | 'ending' = 'starting'
  #haveStarted = false
  #isComplete = true
  #port: number

  constructor(config: Config, log: Log) {
    this.#config = config
    this.#port = config.server.port
    const claims = createClaimsHub(() => this.#config.settings.cache.bytesMax)
    this.#slots = Array.from({ length: config.workers }, (_one, at) => {
      const start = () => this.#startMessage()
      const onUp = (port: number): void => this.#onUp(port)
      const onEnd = (end: SlotEnd): void => this.#onEnd(end)
      return new WorkerSlot(at + 1, { log, claims, start, onUp, onEnd })
    })
  }

  /** The port that the workers listen on; 0: not known yet. */
  get port(): number {
    return this.#port
  }

  /** Starts all workers. Resolves with their port when all are up, or with the exit code of one that could not start. */
  start(): Promise<Started> {
    this.#slots[0]?.fill()
    return this.#started.promise
  }

  /** Puts one part of another configuration in force, in all workers and those to come. */
  apply(config: Config, part: ConfigurationPart): void {
    this.#config = config
    this.#tellAll({ kind: 'configuration', part, config: packConfig(shareConfig(config, this.#port)) })
  }

  /** Lets all workers finish their requests. Resolves when the last has exited, with whether every request came to its own end. */
  async drain(signal: EndSignal): Promise<boolean> {
    this.#closeSlots()
    this.#tellAll({ kind: 'drain', signal })
    await this.#ended.promise
    return this.#isComplete
  }

  /** Ends all workers at once, with an exit code. Resolves when the last has exited. */
  async end(code: number): Promise<void> {
    this.#closeSlots()
    this.#tellAll({ kind: 'end', code })
    const late = setTimeout(() => {
      for (const slot of this.#slots) slot.kill()
    }, LAST_LINES_MS)
    await this.#ended.promise
    clearTimeout(late)
  }

  #startMessage(): Omit<StartMessage, 'kind' | 'worker'> {
    return { config: packConfig(shareConfig(this.#config, this.#port)), state: this.#state() }
  }

  #state(): WorkersState {
    const up = this.#slots.filter(({ isUp }) => isUp).length
    return { up, of: this.#slots.length, haveStarted: this.#haveStarted }
  }

  #tellAll(message: ToWorker): void {
    for (const slot of this.#slots) slot.tell(message)
  }

  #onUp(port: number): void {
    this.#port = port
    if (this.#phase === 'starting') {
      for (const slot of this.#slots) if (!slot.isTaken) slot.fill()
      this.#haveStarted = this.#slots.every(({ isUp }) => isUp)
      if (this.#haveStarted) this.#phase = 'serving'
    }
    this.#tellAll({ kind: 'state', state: this.#state() })
    if (this.#haveStarted) this.#started.resolve({ port })
  }

  #onEnd({ code, isComplete }: SlotEnd): void {
    if (this.#phase === 'ending') this.#isComplete &&= isComplete
    // The worker has said why it could not start; no other would do better.
    if (this.#phase === 'starting' && code) void this.end(code).then(() => this.#started.resolve({ code }))
    this.#tellAll({ kind: 'state', state: this.#state() })
    if (this.#phase === 'ending') this.#endIfAllHave()
  }

  #closeSlots(): void {
    this.#phase = 'ending'
    for (const slot of this.#slots) slot.close()
    this.#endIfAllHave()
  }

  #endIfAllHave(): void {
    if (!this.#slots.some(({ isTaken }) => isTaken)) this.#ended.resolve()
  }
}
