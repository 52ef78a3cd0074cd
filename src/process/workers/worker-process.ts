import { ownCommand } from '../own-command.ts'
import { WORKER_MARKER } from './marker.ts'
import type { FromWorker, StartMessage, ToWorker } from './messages.ts'

/** How a worker's process ended: with an exit code, or by a signal. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** The process of a worker. */
export interface WorkerProcess {
  readonly pid: number
  readonly tell: (message: ToWorker) => void
  /** Ends it at once, whatever it does. */
  readonly kill: () => void
}

/** What a supervisor wants to know of a worker. */
export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void
  readonly onEnd: (end: WorkerEnd) => void
}

/**
 * Starts this very program once more, as a worker: same command line, same environment, same output, and a channel.
 *
 * @example
 * const worker = startWorkerProcess(start, { onMessage, onEnd })
 */
export function startWorkerProcess(start: StartMessage, { onMessage, onEnd }: WorkerEvents): WorkerProcess {
  const child = Bun.spawn([...ownCommand(), ...process.argv.slice(2)], {
    env: { ...process.env, [WORKER_MARKER]: String(start.worker) },
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message: FromWorker) => onMessage(message),
    onExit: (_child, code, signal) => onEnd({ code, signal: signal === null ? null : String(signal) }),
  })
  const tell = (message: ToWorker): void => {
    try {
      child.send(message)
    } catch {
      // It has closed its end and hears no more. That it ends, if it does, is an event of its own.
    }
  }
  tell(start)
  return { pid: child.pid, tell, kill: () => child.kill('SIGKILL') }
}
