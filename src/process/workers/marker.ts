/** The variable that a supervisor sets for its workers. It is no setting: all that a worker needs comes by message. */
export const WORKER_MARKER = 'NEXCODE_WORKER'

/** Whether this process is a supervisor's worker. Without a channel to one, the variable was set by someone else. */
export function isWorker(): boolean {
  return process.env[WORKER_MARKER] !== undefined && process.send !== undefined
}
