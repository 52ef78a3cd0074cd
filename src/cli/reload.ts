import type { Env } from '../config/env-reader.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import { readConfigFile } from './config-file.ts'
import { areSame, type FileStates, statesNow } from './file-states.ts'

/** What reloading needs. */
export interface ReloadDeps {
  /** The configuration file, and all files as they were when it was read. */
  readonly file: { readonly path: string; readonly filesRead: FileStates }
  readonly env: Env
  /** What the environment alone comes to. */
  readonly base: Settings
  readonly log: Log
  readonly apply: (settings: Settings) => void
}

/** How often it is looked whether a file has changed. */
const LOOK_MS = 500

/**
 * Reads the configuration file again on SIGHUP, and when it or a file that it names has changed: whole and checked, or not
 * at all. The old configuration goes on where the new one has a problem, and the log says which.
 *
 * @example
 * reloadOnChange({ file, env: process.env, base: settingsFromEnv(config), log, apply: gateway.apply })
 */
export function reloadOnChange({ file, env, base, log, apply }: ReloadDeps): void {
  let seen = file.filesRead
  let changed: FileStates | undefined
  let waiting = 0
  let reading = Promise.resolve()

  const reload = async (why: string): Promise<void> => {
    const read = await readConfigFile(file.path, env, base)
    // Also where it is bad: one change is read once, and what cures it may be a file that it names.
    seen = read.filesRead
    if (!read.ok) {
      const { problems } = read
      log.error({ file: file.path, problems }, `configuration not reloaded (${why}): the old one goes on`)
      return
    }
    apply(read.settings)
    const { upstreams, models, params } = read.settings
    const counts = { upstreams: upstreams.length, models: models.length, rules: params.length }
    log.info({ file: file.path, ...counts }, `configuration reloaded (${why})`)
  }

  // One after the other: a slow one must not come behind a later one.
  const enqueue = (why: string): void => {
    waiting += 1
    reading = reading
      .then(() => reload(why))
      .catch((cause: unknown) => log.error({ err: cause }, 'reloading failed'))
      .finally(() => {
        waiting -= 1
      })
  }

  process.on('SIGHUP', () => enqueue('SIGHUP'))
  setInterval(() => {
    // What is about to be read is no news.
    if (waiting > 0) return
    const now = statesNow(seen)
    // What is being written is not read before it has been left alone for one look.
    const isSettled = changed !== undefined && areSame(changed, now)
    changed = areSame(seen, now) ? undefined : now
    if (changed === undefined || !isSettled) return
    changed = undefined
    enqueue('the file has changed')
  }, LOOK_MS).unref()
}
