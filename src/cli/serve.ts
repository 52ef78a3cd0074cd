import { readConfiguration } from './configuration.ts'
import { isWorker } from './workers/marker.ts'

const INVALID = 2

/** Starts the server and goes on until a signal ends it: in this process, or in several that this one looks after. */
export async function serve(): Promise<number | undefined> {
  if (isWorker()) return (await import('./workers/work.ts')).work()
  const config = readConfiguration(process.env)
  if (config === undefined) return INVALID
  // Each is loaded where it is needed: one process alone has no use for a supervisor, nor that one for the gateway.
  if (config.workers > 1) return (await import('./workers/supervise.ts')).supervise(config)
  return (await import('./serve-alone.ts')).serveAlone(config)
}
