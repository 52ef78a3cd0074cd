import type { Deadlines } from './deadlines.ts'

/** Resolves after a time; rejects with the signal's reason if that is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * Makes a sleep on the process's one timer.
 *
 * @example
 * const sleep = createSleep(deadlines)
 */
export function createSleep(deadlines: Deadlines): Sleep {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const deadline = deadlines.start(Math.max(1, ms), wake)
      const stop = (): void => {
        deadline.clear()
        reject(signal.reason)
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
}
