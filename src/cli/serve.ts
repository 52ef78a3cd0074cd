import { readWholeConfiguration } from '../process/configuration.ts'
import { INVALID } from '../process/start-failure.ts'
import { isWorker } from '../process/workers/worker-process.ts'
import type { Flags } from './flags.ts'

/**
 * Serves until a signal ends it: in this process, or in several workers that this process supervises. Gives the exit code when it
 * can't start.
 */
export async function serve({ config: flag }: Flags): Promise<number | undefined> {
  if (isWorker()) return (await import('../process/workers/run-worker.ts')).runWorker()
  const configuration = await readWholeConfiguration(process.env, flag)
  if (configuration === undefined) return INVALID
  // Each is loaded on demand: a single process needs no supervisor, and a supervisor needs no gateway.
  if (configuration.config.workers > 1)
    return (await import('../process/workers/supervise.ts')).supervise(configuration)
  return (await import('../process/serve-alone.ts')).serveAlone(configuration)
}
