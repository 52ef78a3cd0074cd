import type { Log } from '../../telemetry/log.ts'
import { createBackOff } from './back-off.ts'
import type { ClaimsOfWorkers } from './claims-of-workers.ts'
import { type Heartbeat, SILENT_MS, startHeartbeat } from './heartbeat.ts'
import type { ClaimsQuestion, FromWorker, StartMessage, ToWorker } from './messages.ts'
import { startWorkerProcess, type WorkerEnd, type WorkerProcess } from './worker-process.ts'

/** The place of one worker, which is filled anew when its process ends. */
export interface Seat {
  /** Whether its process listens. */
  readonly isUp: () => boolean
  /** Whether it has a process, or is about to have one. */
  readonly isTaken: () => boolean
  /** Starts its process. */
  readonly fill: () => void
  /** Has no process started any more. */
  readonly close: () => void
  readonly tell: (message: ToWorker) => void
  readonly kill: () => void
}

/** How the process in a seat ended. */
export interface SeatEnd extends WorkerEnd {
  /** Whether nothing that it had under way was cut. */
  readonly isComplete: boolean
}

/** What a seat needs, and tells. */
export interface SeatDeps {
  readonly log: Log
  readonly claims: ClaimsOfWorkers
  /** What its next process is to know at its start. */
  readonly start: () => Omit<StartMessage, 'kind' | 'worker'>
  readonly onUp: (port: number) => void
  readonly onEnd: (end: SeatEnd) => void
}

/**
 * Makes the seat of a worker, by its number.
 *
 * @example
 * const seat = createSeat(1, { log, claims, start, onUp, onEnd })
 * seat.fill()
 */
export function createSeat(worker: number, { log, claims, start, onUp, onEnd }: SeatDeps): Seat {
  const backOff = createBackOff()
  let process: WorkerProcess | undefined
  let startedAt = 0
  let isUp = false
  let isComplete = true
  let restart: Timer | undefined
  let isClosed = false
  let isFirst = true
  let heartbeat: Heartbeat | undefined
  let isStuck = false

  const hear = (message: Exclude<FromWorker, ClaimsQuestion>): void => {
    if (message.kind === 'pong') {
      heartbeat?.onAnswer()
      return
    }
    isUp = message.kind === 'listening'
    isComplete = message.kind === 'stopped' && message.isComplete
    if (message.kind === 'stopped') return
    if (!isFirst) log.info({ worker, pid: process?.pid }, 'a worker is up again')
    isFirst = false
    // Only now: how long a worker takes to start is up to its extensions.
    heartbeat = startHeartbeat({
      ask: () => process?.tell({ kind: 'ping' }),
      onStuck() {
        isStuck = true
        process?.kill()
      },
    })
    onUp(message.port)
  }

  const lose = (end: WorkerEnd): void => {
    const pid = process?.pid
    const wasStuck = isStuck
    isStuck = false
    heartbeat?.stop()
    heartbeat = undefined
    process = undefined
    isUp = false
    onEnd({ ...end, isComplete })
    isComplete = true
    if (isClosed) return
    const delayMs = backOff.next(performance.now() - startedAt)
    const what = wasStuck ? `was stuck: it did not answer for ${SILENT_MS / 1000} s, was ended,` : 'ended,'
    log.warn({ worker, pid, ...end, delay_ms: delayMs }, `a worker ${what} and is started again`)
    restart = setTimeout(fill, delayMs)
  }

  const fill = (): void => {
    restart = undefined
    startedAt = performance.now()
    const its = claims.join()
    try {
      const started = startWorkerProcess(
        { kind: 'start', worker, ...start() },
        {
          onMessage(message) {
            if (message.kind === 'claims') started.tell(its.answer(message))
            else hear(message)
          },
          onEnd(end) {
            its.leave()
            lose(end)
          },
        },
      )
      process = started
    } catch (cause) {
      log.error({ worker, err: cause }, 'a worker could not be started')
      lose({ code: 1, signal: null })
    }
  }

  return {
    isUp: () => isUp,
    isTaken: () => process !== undefined || restart !== undefined,
    fill,
    close() {
      isClosed = true
      clearTimeout(restart)
      restart = undefined
    },
    tell: (message) => process?.tell(message),
    kill: () => process?.kill(),
  }
}
