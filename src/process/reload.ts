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
import { rereadConfiguration } from './reread-configuration.ts'
import { OwnAddressError } from './start-failure.ts'

/** The dependencies of a reload. */
export interface ReloadDeps {
  /** The configuration that is in force at first, and the files that it was read from. */
  readonly configuration: Configuration
  readonly log: Log
  /** Puts one part in force. May reject with a list of `problems`: then the old one stays. */
  readonly apply: Apply
}

/** How often files are checked for changes: a revoked token has to be out within a second. */
const LOOK_MS = 200

/**
 * Reloads the configuration on SIGHUP and when a file has changed: the configuration file with all files that it names, and the files of
 * tokens, keys and the certificate. Each part is taken over as a whole or not at all: where the new one has a problem, the old one stays.
 * The log says which files were read, which of them were refused, and which were not looked at.
 *
 * @example
 * await reloadOnChange({ configuration, log, apply: gateway.apply })
 */
export async function reloadOnChange(deps: ReloadDeps): Promise<void> {
  const reloader = new Reloader(deps, await statesOfExtensions(deps.configuration.config.settings))
  process.on('SIGHUP', () => reloader.enqueue('SIGHUP', true))
  if (reloader.hasFiles) setInterval(() => reloader.look(), LOOK_MS).unref()
}

/** The configuration in force, and the files as they were when they were last read. */
class Reloader {
  readonly #log: Log
  readonly #apply: Apply
  #current: Configuration
  #ofExtensions: FileStates
  #seen: FileStates
  /** The files as they were at the last look, where they had changed. */
  #changed: FileStates | undefined
  #waiting = 0
  #reading = Promise.resolve()
  /** The problems that the log names already. */
  #reported = ''

  constructor({ configuration, log, apply }: ReloadDeps, ofExtensions: FileStates) {
    this.#log = log
    this.#apply = apply
    this.#current = configuration
    this.#ofExtensions = ofExtensions
    this.#seen = new Map([...configuration.filesRead, ...ofExtensions])
  }

  get hasFiles(): boolean {
    return this.#seen.size > 0
  }

  /** Reloads behind all reloads that wait: a slow one must not overtake a later one. `isAsked`: a person has asked for it. */
  enqueue(why: string, isAsked: boolean): void {
    this.#waiting += 1
    this.#reading = this.#reading
      .then(() => this.#reload(why, isAsked))
      .catch((cause: unknown) => this.#log.error({ err: cause }, 'reloading failed'))
      .finally(() => {
        this.#waiting -= 1
      })
  }

  /** Looks whether files have changed, and reloads them. */
  look(): void {
    // A reload that waits will read all changes.
    if (this.#waiting > 0) return
    const now = statesNow(this.#seen)
    // A file that is being written is not read before one look has found it unchanged.
    const isSettled = this.#changed !== undefined && areSame(this.#changed, now)
    this.#changed = areSame(this.#seen, now) ? undefined : now
    if (this.#changed === undefined || !isSettled) return
    this.#changed = undefined
    this.enqueue('the file has changed', false)
  }

  async #reload(why: string, isAsked: boolean): Promise<void> {
    const before = this.#current
    const reread = await rereadConfiguration(before)
    const { configuration: after, badFiles, areSettingsNew } = reread
    const former = this.#ofExtensions
    // Also for a bad configuration: each change is read once, and a file that it names may be the cure.
    this.#ofExtensions = await statesOfExtensions(after.config.settings)
    this.#seen = new Map([...after.filesRead, ...this.#ofExtensions])
    const wanted = changedParts(before.config, after.config)
    const isTouched = isAsked || wanted.has('settings') || !areSame(this.#ofExtensions, former)
    if (areSettingsNew && isTouched) wanted.add('settings')
    const kept = new Set<ConfigurationPart>(areSettingsNew ? [] : ['settings'])
    const applied = await this.#applyAll(before.config, after.config, wanted, kept)
    const problems = [...reread.problems, ...applied.problems]
    this.#current = { ...after, config: applied.config }
    const { file, env } = this.#current.source
    const checked = { files: this.#seen, refused: findRefused(this.#seen, badFiles, kept, env) }
    const isReported = !isAsked && problems.length > 0 && problems.join() === this.#reported
    this.#reported = problems.join()
    // A file that can't be read now is tried again and again: the log says so once.
    if (isReported && wanted.size === 0) return
    if (problems.length > 0) {
      const refused = showRefused(checked, env)
      this.#log.error({ file, problems, refused }, `configuration not reloaded (${why}): the old one goes on`)
      if (wanted.size === 0) return
    }
    this.#log.info(describeReload(before, this.#current, checked), `configuration reloaded (${why})`)
    logWarnings(this.#current, this.#log)
  }

  /** Puts the `wanted` parts in force, one after the other. Moves those that are refused to `kept`. */
  async #applyAll(
    before: Config,
    after: Config,
    wanted: Set<ConfigurationPart>,
    kept: Set<ConfigurationPart>,
  ): Promise<{ readonly config: Config; readonly problems: readonly string[] }> {
    const problems: string[] = []
    let config = before
    for (const part of wanted) {
      try {
        const next = withPart(config, after, part)
        await this.#apply(next, part)
        config = next
      } catch (cause) {
        problems.push(...problemsIn(cause))
        wanted.delete(part)
        kept.add(part)
      }
    }
    return { config, problems }
  }
}

/** Lists the parts that differ. The tokens come first: who may call must not wait for anything else. */
function changedParts(before: Config, after: Config): Set<ConfigurationPart> {
  const parts = new Set<ConfigurationPart>()
  if (!areSameConfigs([before.auth.tokens, before.adminKey], [after.auth.tokens, after.adminKey])) parts.add('tokens')
  if (!areSameConfigs(before.server.tls, after.server.tls)) parts.add('tls')
  if (!areSameConfigs(before.settings, after.settings)) parts.add('settings')
  return parts
}

function withPart(
  config: Config,
  { auth, adminKey, server, upstream, settings }: Config,
  part: ConfigurationPart,
): Config {
  if (part === 'tokens') return { ...config, auth, adminKey }
  return part === 'tls' ? { ...config, server } : { ...config, upstream, settings }
}

/** Gives the states of the extensions' files, and of the files that these import. */
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
