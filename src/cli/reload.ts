import { statSync } from 'node:fs'
import type { Env } from '../config/env-reader.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import { readConfigFile } from './config-file.ts'

/** What reloading needs. */
export interface ReloadDeps {
  readonly file: { readonly path: string; readonly filesRead: readonly string[] }
  readonly env: Env
  /** What the environment alone comes to. */
  readonly base: Settings
  readonly log: Log
  readonly apply: (settings: Settings) => void
}

/** How often it is looked whether a file has changed: by its status, which follows links and works on every file system. */
const LOOK_MS = 500

/**
 * Reads the configuration file again on SIGHUP, and when it or a file that it names has changed: whole and checked, or not
 * at all. The old configuration goes on where the new one has a problem, and the log says which.
 *
 * @example
 * reloadOnChange({ file, env: process.env, base: config.settings, log, apply: gateway.apply })
 */
export function reloadOnChange({ file, env, base, log, apply }: ReloadDeps): void {
  let watched = file.filesRead
  let seen = fingerprint(watched)
  let pending: string | undefined
  let reading = Promise.resolve()

  const reload = async (why: string): Promise<void> => {
    const read = await readConfigFile(file.path, env, base)
    if (!read.ok) {
      log.error(
        { file: file.path, problems: read.problems },
        `configuration not reloaded (${why}): the old one goes on`,
      )
      return
    }
    watched = read.filesRead
    seen = fingerprint(watched)
    apply(read.settings)
    const { upstreams, models, params } = read.settings
    const counts = { upstreams: upstreams.length, models: models.length, rules: params.length }
    log.info({ file: file.path, ...counts }, `configuration reloaded (${why})`)
  }

  // One after the other: a slow one must not come behind a later one.
  const enqueue = (why: string): void => {
    reading = reading.then(() => reload(why)).catch((cause: unknown) => log.error({ err: cause }, 'reloading failed'))
  }

  process.on('SIGHUP', () => enqueue('SIGHUP'))
  setInterval(() => {
    const now = fingerprint(watched)
    // What is being written is not read before it has been left alone for one look.
    const isSettled = now === pending
    pending = now === seen ? undefined : now
    if (pending === undefined || !isSettled) return
    seen = now
    pending = undefined
    enqueue('the file has changed')
  }, LOOK_MS).unref()
}

function fingerprint(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false })
      return stat === undefined ? 'none' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`
    })
    .join(' ')
}
