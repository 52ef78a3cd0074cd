import { ownCommand } from '../program.ts'
import type { FromWorker, StartMessage, ToWorker } from './messages.ts'

/** The variable that a supervisor sets for its workers. It is no setting: a worker gets all that it needs by message. */
export const WORKER_MARKER = 'NEXCODE_WORKER'

/** Whether this process is a supervisor's worker. Without a channel to a supervisor, the variable was set by another program. */
export function isWorker(): boolean {
  return process.env[WORKER_MARKER] !== undefined && process.send !== undefined
}

/** How a worker's process ended: with an exit code, or by a signal. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** The process of a worker. */
export interface WorkerProcess {
  readonly pid: number
  readonly tell: (message: ToWorker) => void
  /** Kills the process at once. */
  readonly kill: () => void
}

/** The events of a worker that its supervisor hears. */
export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void
  readonly onEnd: (end: WorkerEnd) => void
}

/**
 * Starts this program once more as a worker: with the same command line, environment and output, and a channel. Throws the system's error.
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
      // The worker has closed its end of the channel. If it ends, that is an event of its own.
    }
  }
  tell(start)
  return { pid: child.pid, tell, kill: () => child.kill('SIGKILL') }
}
