import type { Log } from '../../telemetry/log.ts'
import type { ClaimsHub } from './claims-hub.ts'
import { type Heartbeat, SILENT_MS, startHeartbeat } from './heartbeat.ts'
import type { ClaimsQuestion, FromWorker, StartMessage, ToWorker } from './messages.ts'
import { startWorkerProcess, type WorkerEnd, type WorkerProcess } from './worker-process.ts'

/** How the process of a slot ended. */
export interface SlotEnd extends WorkerEnd {
  /** Whether every request that it had under way came to its own end. */
  readonly isComplete: boolean
}

/** The dependencies and the listeners of a slot. */
interface WorkerSlotDeps {
  readonly log: Log
  readonly claims: ClaimsHub
  /** Makes the message that the next process starts with. */
  readonly start: () => Omit<StartMessage, 'kind' | 'worker'>
  readonly onUp: (port: number) => void
  readonly onEnd: (end: SlotEnd) => void
}

/**
 * The slot of one worker: when its process ends, another one is started in its place.
 *
 * @example
 * const slot = new WorkerSlot(1, { log, claims, start, onUp, onEnd })
 * slot.fill()
 */
export class WorkerSlot {
  readonly #worker: number
  readonly #deps: WorkerSlotDeps
  readonly #backOff = createBackOff()
  #process: WorkerProcess | undefined
  #startedAt = 0
  #isUp = false
  #isComplete = true
  #restart: Timer | undefined
  #isClosed = false
  #isFirst = true
  #heartbeat: Heartbeat | undefined
  #isStuck = false

  /** `worker` is its number, from 1. */
  constructor(worker: number, deps: WorkerSlotDeps) {
    this.#worker = worker
    this.#deps = deps
  }

  /** Whether its process listens. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Whether it has a process, or is about to have one. */
  get isTaken(): boolean {
    return this.#process !== undefined || this.#restart !== undefined
  }

  /** Starts its process. */
  fill(): void {
    const { claims, start, log } = this.#deps
    this.#restart = undefined
    this.#startedAt = performance.now()
    const connection = claims.join()
    try {
      const started = startWorkerProcess(
        { kind: 'start', worker: this.#worker, ...start() },
        {
          onMessage: (message) => {
            if (message.kind === 'claims') started.tell(connection.answer(message))
            else this.#onMessage(message)
          },
          onEnd: (end) => {
            connection.leave()
            this.#onEnd(end)
          },
        },
      )
      this.#process = started
    } catch (cause) {
      log.error({ worker: this.#worker, err: cause }, 'a worker could not be started')
      this.#onEnd({ code: 1, signal: null })
    }
  }

  /** Keeps another process from being started. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#restart)
    this.#restart = undefined
  }

  tell(message: ToWorker): void {
    this.#process?.tell(message)
  }

  kill(): void {
    this.#process?.kill()
  }

  #onMessage(message: Exclude<FromWorker, ClaimsQuestion>): void {
    if (message.kind === 'pong') {
      this.#heartbeat?.onAnswer()
      return
    }
    this.#isUp = message.kind === 'listening'
    this.#isComplete = message.kind === 'stopped' && message.isComplete
    if (message.kind === 'stopped') return
    if (!this.#isFirst) this.#deps.log.info({ worker: this.#worker, pid: this.#process?.pid }, 'a worker is up again')
    this.#isFirst = false
    // Not before it listens: how long a worker takes to start is up to its extensions.
    this.#heartbeat = startHeartbeat({
      ask: () => this.#process?.tell({ kind: 'ping' }),
      onStuck: () => {
        this.#isStuck = true
        this.#process?.kill()
      },
    })
    this.#deps.onUp(message.port)
  }

  #onEnd(end: WorkerEnd): void {
    const pid = this.#process?.pid
    const wasStuck = this.#isStuck
    this.#isStuck = false
    this.#heartbeat?.stop()
    this.#heartbeat = undefined
    this.#process = undefined
    this.#isUp = false
    this.#deps.onEnd({ ...end, isComplete: this.#isComplete })
    this.#isComplete = true
    if (this.#isClosed) return
    const delayMs = this.#backOff.next(performance.now() - this.#startedAt)
    const what = wasStuck ? `was stuck: it did not answer for ${SILENT_MS / 1000} s, was ended,` : 'ended,'
    this.#deps.log.warn(
      { worker: this.#worker, pid, ...end, delay_ms: delayMs },
      `a worker ${what} and is started again`,
    )
    this.#restart = setTimeout(() => this.fill(), delayMs)
  }
}

/** The growing delay before a process that died is started again. */
interface BackOff {
  /** Gives the delay for a process that lived for so long. */
  readonly next: (livedMs: number) => number
}

const FIRST_MS = 100
const MAX_MS = 30_000
/** After a life of this length, a death is a new failure and not the last one again. */
const STEADY_MS = 30_000

/**
 * Makes a back-off: 100 ms at first, twice as long after each early death, half a minute at most.
 *
 * @example
 * const backOff = createBackOff()
 * setTimeout(start, backOff.next(performance.now() - startedAt))
 */
export function createBackOff(): BackOff {
  let delayMs = 0
  return {
    next(livedMs) {
      delayMs = delayMs === 0 || livedMs >= STEADY_MS ? FIRST_MS : Math.min(delayMs * 2, MAX_MS)
      return delayMs
    },
  }
}
