import { isAbsolute, relative, resolve } from 'node:path'
import { nameTokens } from '../access/name-tokens.ts'
import type { Config } from '../config/config.ts'
import { ENV_ROWS } from '../config/env.ts'
import type { Env } from '../config/env-reader.ts'
import type { Configuration } from './configuration.ts'
import { type FileStates, NO_PLAIN_FILE } from './file-states.ts'
import type { ConfigurationPart } from './gateway.ts'
import { sha256 } from './sha256.ts'

/** Variables that name a file: the file is read again, the name is not. */
const NAMES_A_FILE = /_FILE$|^NEXCODE_CONFIG$|^EXTENSIONS$/

/** The variables whose files make up a part of their own; all other files belong to the settings. */
const PART_OF: ReadonlyMap<string, ConfigurationPart> = new Map([
  ['API_TOKEN_FILE', 'tokens'],
  ['ADMIN_KEY_FILE', 'tokens'],
  ['TLS_CERT_FILE', 'tls'],
  ['TLS_KEY_FILE', 'tls'],
])

/** The files that a reload has looked at. */
export interface CheckedFiles {
  readonly files: FileStates
  /** The files, by their absolute paths, whose old text stays in force. */
  readonly refused: ReadonlySet<string>
}

/**
 * Finds the files whose old text stays in force: those that are bad themselves, and all files of a part that is not taken over.
 *
 * @example
 * const refused = findRefused(files, badFiles, new Set(['settings']), env)
 */
export function findRefused(
  files: FileStates,
  badFiles: ReadonlySet<string>,
  parts: ReadonlySet<ConfigurationPart>,
  env: Env,
): ReadonlySet<string> {
  return new Set(
    [...files.keys()].filter(
      (path) => badFiles.has(path) || parts.has(PART_OF.get(variableOf(path, env) ?? '') ?? 'settings'),
    ),
  )
}

/**
 * Names the refused files for the log. Pipes are left out: their text is gone, and they were not looked at.
 *
 * @example
 * log.error({ problems, refused: showRefused(lookedAt, env) }, 'configuration not reloaded')
 */
export function showRefused({ files, refused }: CheckedFiles, env: Env): readonly string[] {
  return [...files]
    .filter(([path, state]) => refused.has(path) && state !== NO_PLAIN_FILE)
    .map(([path]) => shown(path, env))
}

/**
 * Describes a reload for the log: the files that were read and refused, the numbers of upstreams, models and rules, the tokens that have
 * come and gone, and the sources that were not looked at.
 *
 * @example
 * log.info(describeReload(before, after, { files, refused }), 'configuration reloaded')
 */
export function describeReload(
  before: Configuration,
  after: Configuration,
  lookedAt: CheckedFiles,
): Readonly<Record<string, unknown>> {
  const { settings, auth } = after.config
  const { upstreams, models, params } = settings
  const { env, file } = after.source
  const [old, now] = [namesOf(before.config), namesOf(after.config)]
  const files = [...lookedAt.files]
  const refused = showRefused(lookedAt, env)
  const pipes = files.filter(([, state]) => state === NO_PLAIN_FILE).map(([path]) => shown(path, env))
  const added = [...now].filter((name) => !old.has(name))
  const removed = [...old].filter((name) => !now.has(name))
  return {
    file,
    ...{ upstreams: upstreams.length, models: models.length, rules: params.length },
    ...(auth.tokens.length > 0 && { tokens: auth.tokens.length }),
    ...(added.length > 0 && { tokens_added: added }),
    ...(removed.length > 0 && { tokens_removed: removed }),
    read: files
      .filter(([path, state]) => state !== NO_PLAIN_FILE && !lookedAt.refused.has(path))
      .map(([path]) => shown(path, env)),
    ...(refused.length > 0 && { refused }),
    // The text of a pipe is gone, and a process keeps the environment that it was started with.
    not_read: [
      ...pipes,
      ...ENV_ROWS.map(({ name }) => name).filter((name) => !NAMES_A_FILE.test(name) && isSet(env[name])),
    ],
  }
}

function namesOf({ auth }: Config): ReadonlySet<string> {
  return new Set(nameTokens(auth.tokens, sha256).map(({ name }) => name))
}

/** Names a file for a person: relative to the working folder if it lies below, and with the variable that names it. */
function shown(path: string, env: Env): string {
  const near = relative('.', path)
  const name = variableOf(path, env)
  const short = near.startsWith('..') || isAbsolute(near) ? path : near
  return name === undefined ? short : `${short} (${name})`
}

/** Finds the variable that names a file. */
function variableOf(path: string, env: Env): string | undefined {
  return ENV_ROWS.find(
    ({ name }) => /_FILE$/.test(name) && isSet(env[name]) && resolve(String(env[name]).trim()) === path,
  )?.name
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== ''
}
