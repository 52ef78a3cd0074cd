import { readWholeConfiguration } from './configuration.ts'
import { type Flags, INVALID } from './flags.ts'
import { isWorker } from './workers/marker.ts'

/** Starts the server and goes on until a signal ends it: in this process, or in several that this one looks after. */
export async function serve({ config: flag }: Flags): Promise<number | undefined> {
  if (isWorker()) return (await import('./workers/work.ts')).work()
  const configuration = await readWholeConfiguration(process.env, flag)
  if (configuration === undefined) return INVALID
  // Each is loaded where it is needed: one process alone has no use for a supervisor, nor that one for the gateway.
  if (configuration.config.workers > 1) return (await import('./workers/supervise.ts')).supervise(configuration)
  return (await import('./serve-alone.ts')).serveAlone(configuration)
}
