import { isAbsolute, relative, resolve } from 'node:path'
import { nameTokens } from '../auth/name-tokens.ts'
import type { Config } from '../config/config.ts'
import { ENV_ROWS } from '../config/env.ts'
import type { Env } from '../config/env-reader.ts'
import type { Configuration } from './configuration.ts'
import { NO_PLAIN_FILE } from './file-states.ts'
import { sha256 } from './sha256.ts'

/** Variables that name a file: what is in it is read again, though the name is not. */
const NAMES_A_FILE = /_FILE$|^NEXCODE_CONFIG$|^EXTENSIONS$/

/**
 * Says for the log what a reload has read, how much there is now, whose tokens have come and gone, and what was not read.
 *
 * @example
 * log.info(describeReload(before, after), 'configuration reloaded')
 */
export function describeReload(before: Configuration, after: Configuration): Readonly<Record<string, unknown>> {
  const { settings, auth } = after.config
  const { upstreams, models, params } = settings
  const { env, file } = after.source
  const [old, now] = [namesOf(before.config), namesOf(after.config)]
  const files = [...after.filesRead]
  const pipes = files.filter(([, state]) => state === NO_PLAIN_FILE).map(([path]) => shown(path, env))
  const added = [...now].filter((name) => !old.has(name))
  const removed = [...old].filter((name) => !now.has(name))
  return {
    file,
    ...{ upstreams: upstreams.length, models: models.length, rules: params.length },
    ...(auth.tokens.length > 0 && { tokens: auth.tokens.length }),
    ...(added.length > 0 && { tokens_added: added }),
    ...(removed.length > 0 && { tokens_removed: removed }),
    read: files.filter(([, state]) => state !== NO_PLAIN_FILE).map(([path]) => shown(path, env)),
    // What came through a pipe is gone, and a process keeps the environment that it was started with.
    not_read: [
      ...pipes,
      ...ENV_ROWS.map(({ name }) => name).filter((name) => !NAMES_A_FILE.test(name) && isSet(env[name])),
    ],
  }
}

function namesOf({ auth }: Config): ReadonlySet<string> {
  return new Set(nameTokens(auth.tokens, sha256).map(({ name }) => name))
}

/** A file as a person knows it: below the working folder without that, and with the variable that names it. */
function shown(path: string, env: Env): string {
  const near = relative('.', path)
  const name = ENV_ROWS.find(
    (row) => /_FILE$/.test(row.name) && isSet(env[row.name]) && resolve(String(env[row.name]).trim()) === path,
  )?.name
  const short = near.startsWith('..') || isAbsolute(near) ? path : near
  return name === undefined ? short : `${short} (${name})`
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== ''
}
