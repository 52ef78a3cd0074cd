import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { areSameConfigs } from '../config/open-secrets.ts'
import type { Settings } from '../config/settings.ts'
import { ExtensionsError } from '../extensions/load/load-all.ts'
import type { Log } from '../telemetry/log.ts'
import { logWarnings } from './announce.ts'
import type { Configuration } from './configuration.ts'
import { describeReload, findRefused, showRefused } from './describe-reload.ts'
import { areSame, type FileStates, stateOf, statesNow } from './file-states.ts'
import type { Apply, ConfigurationPart } from './gateway.ts'
import { OwnAddressError } from './own-address-error.ts'
import { readAgain } from './read-again.ts'

/** What reloading needs. */
export interface ReloadDeps {
  /** What is in force at first, and what it was read from. */
  readonly configuration: Configuration
  readonly log: Log
  /** Takes one part over. May reject with a `problems` list: then the old one goes on. */
  readonly apply: Apply
}

/** How often it is looked whether a file has changed: a token that is revoked is to be out within a second. */
const LOOK_MS = 200

/**
 * Reads again what can be, on SIGHUP and when a file has changed: the configuration file with all that it names, the files of
 * tokens, keys and the certificate. Each is taken over whole, or not at all: the old one goes on where the new one has a problem.
 * The log says which, what was read, what of that was refused, and what was not looked at.
 *
 * @example
 * await reloadOnChange({ configuration, log, apply: gateway.apply })
 */
export async function reloadOnChange({ configuration, log, apply }: ReloadDeps): Promise<void> {
  let current = configuration
  let ofExtensions = await statesOfExtensions(current.config.settings)
  let seen: FileStates = new Map([...current.filesRead, ...ofExtensions])
  let changed: FileStates | undefined
  let waiting = 0
  let told = ''
  let reading = Promise.resolve()

  const reload = async (why: string, isAsked: boolean): Promise<void> => {
    const before = current
    const { configuration: after, problems: bad, badFiles, areSettingsNew } = await readAgain(before)
    const problems = [...bad]
    const former = ofExtensions
    // Also where it is bad: one change is read once, and what cures it may be a file that it names.
    ofExtensions = await statesOfExtensions(after.config.settings)
    seen = new Map([...after.filesRead, ...ofExtensions])
    const wanted = changedParts(before.config, after.config)
    const isTouched = isAsked || wanted.has('settings') || !areSame(ofExtensions, former)
    if (areSettingsNew && isTouched) wanted.add('settings')
    const kept = new Set<ConfigurationPart>(areSettingsNew ? [] : ['settings'])
    let { config } = before
    for (const part of wanted) {
      try {
        const next = withPart(config, after.config, part)
        await apply(next, part)
        config = next
      } catch (cause) {
        problems.push(...problemsIn(cause))
        wanted.delete(part)
        kept.add(part)
      }
    }
    current = { ...after, config }
    const { file, env } = current.source
    const lookedAt = { files: seen, refused: findRefused(seen, badFiles, kept, env) }
    const isTold = !isAsked && problems.length > 0 && problems.join() === told
    told = problems.join()
    // What can't be read now is tried again and again: that is said once.
    if (isTold && wanted.size === 0) return
    if (problems.length > 0) {
      const refused = showRefused(lookedAt, env)
      log.error({ file, problems, refused }, `configuration not reloaded (${why}): the old one goes on`)
      if (wanted.size === 0) return
    }
    log.info(describeReload(before, current, lookedAt), `configuration reloaded (${why})`)
    logWarnings(current, log)
  }

  // One after the other: a slow one must not come behind a later one.
  const enqueue = (why: string, isAsked: boolean): void => {
    waiting += 1
    reading = reading
      .then(() => reload(why, isAsked))
      .catch((cause: unknown) => log.error({ err: cause }, 'reloading failed'))
      .finally(() => {
        waiting -= 1
      })
  }

  process.on('SIGHUP', () => enqueue('SIGHUP', true))
  if (seen.size === 0) return
  setInterval(() => {
    // What is about to be read is no news.
    if (waiting > 0) return
    const now = statesNow(seen)
    // What is being written is not read before it has been left alone for one look.
    const isSettled = changed !== undefined && areSame(changed, now)
    changed = areSame(seen, now) ? undefined : now
    if (changed === undefined || !isSettled) return
    changed = undefined
    enqueue('the file has changed', false)
  }, LOOK_MS).unref()
}

/** The parts that differ; who may come in first, since that must wait for nothing. */
function changedParts(before: Config, after: Config): Set<ConfigurationPart> {
  const parts = new Set<ConfigurationPart>()
  if (!areSameConfigs(before.auth.tokens, after.auth.tokens)) parts.add('tokens')
  if (!areSameConfigs(before.server.tls, after.server.tls)) parts.add('tls')
  if (!areSameConfigs(before.settings, after.settings)) parts.add('settings')
  return parts
}

function withPart(config: Config, { auth, server, upstream, settings }: Config, part: ConfigurationPart): Config {
  if (part === 'tokens') return { ...config, auth }
  return part === 'tls' ? { ...config, server } : { ...config, upstream, settings }
}

/** The files of the extensions, with what they import. */
async function statesOfExtensions({ extensions }: Settings): Promise<FileStates> {
  if (extensions.length === 0) return new Map()
  const { scanExtension } = await import('../extensions/load/extension-source.ts')
  const files = extensions.flatMap(({ path }) => scanExtension(resolve(path)).files)
  return new Map(files.map((path): [string, string] => [path, stateOf(path)]))
}

function problemsIn(cause: unknown): readonly string[] {
  if (cause instanceof ExtensionsError || cause instanceof OwnAddressError) return cause.problems
  return [cause instanceof Error ? cause.message : String(cause)]
}
