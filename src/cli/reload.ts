import { resolve } from 'node:path'
import type { Env } from '../config/env-reader.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import { readConfigFile } from './config-file.ts'
import { ExtensionsError } from './extensions/load-all.ts'
import { areSame, type FileStates, stateOf, statesNow } from './file-states.ts'
import { OwnAddressError } from './own-address-error.ts'

/** What reloading needs. */
export interface ReloadDeps {
  /** The configuration file, and all files as they were when it was read. */
  readonly file: { readonly path: string; readonly filesRead: FileStates } | undefined
  /** What is in force at first: its extensions' files are watched, too. */
  readonly settings: Settings
  readonly env: Env
  /** What the environment alone comes to. */
  readonly base: Settings
  readonly log: Log
  /** May reject with a `problems` list: then the old configuration goes on. */
  readonly apply: (settings: Settings) => void | Promise<void>
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
export async function reloadOnChange({ file, settings, env, base, log, apply }: ReloadDeps): Promise<void> {
  let current = settings
  let seen = await withExtensions(file?.filesRead ?? NO_FILES, current)
  let changed: FileStates | undefined
  let waiting = 0
  let reading = Promise.resolve()

  const reload = async (why: string): Promise<void> => {
    const read = file === undefined ? unread(base) : await readConfigFile(file.path, env, base)
    // Also where it is bad: one change is read once, and what cures it may be a file that it names.
    seen = await withExtensions(read.filesRead, read.ok ? read.settings : current)
    if (read.ok) current = read.settings
    const refuse = (problems: readonly string[]): void =>
      log.error({ file: file?.path, problems }, `configuration not reloaded (${why}): the old one goes on`)
    if (!read.ok) return refuse(read.problems)
    try {
      await apply(read.settings)
    } catch (cause) {
      return refuse(problemsIn(cause))
    }
    const { upstreams, models, params } = read.settings
    const counts = { upstreams: upstreams.length, models: models.length, rules: params.length }
    log.info({ file: file?.path, ...counts }, `configuration reloaded (${why})`)
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

const NO_FILES: FileStates = new Map()

/** Where no file says anything, what the environment says. */
function unread(settings: Settings): { ok: true; settings: Settings; filesRead: FileStates } {
  return { ok: true, settings, filesRead: NO_FILES }
}

/** The files that were read, and those of the extensions, with what they import. */
async function withExtensions(filesRead: FileStates, { extensions }: Settings): Promise<FileStates> {
  if (extensions.length === 0) return filesRead
  const { scanExtension } = await import('./extensions/extension-source.ts')
  const files = extensions.flatMap(({ path }) => scanExtension(resolve(path)).files)
  return new Map([...filesRead, ...files.map((path): [string, string] => [path, stateOf(path)])])
}

function problemsIn(cause: unknown): readonly string[] {
  if (cause instanceof ExtensionsError || cause instanceof OwnAddressError) return cause.problems
  return [cause instanceof Error ? cause.message : String(cause)]
}
