import type { Env } from '../env-reader.ts'
import { freeze } from '../freeze.ts'
import type { ResilienceSettings, Settings } from '../settings.ts'
import { toAnswering } from './answering-settings.ts'
import { ANY_CALLERS, type Callers } from './callers.ts'
import { checkFile } from './check-file.ts'
import { foreignFileFault } from './foreign-file.ts'
import { checkUpstreamName, toModels } from './model-settings.ts'
import type { ReadFile } from './named-file.ts'
import { toParamRules } from './param-rules.ts'
import { toPins } from './pins.ts'
import { createProblemLog, type FileProblem } from './problems.ts'
import { readDocument } from './read-document.ts'
import { BREAKER_DEFAULTS, RETRY_DEFAULTS } from './resilience-defaults.ts'
import { toBreaker, toResilience, toTimeouts } from './resilience-settings.ts'
import { createScope, type Scope } from './scope.ts'
import { createSubstitute } from './substitute.ts'
import { isPlaceOfKey } from './upstream-keys.ts'
import { toUpstreams } from './upstream-settings.ts'

/** A configuration file. */
export interface SettingsSource {
  /** As problems name it; what it names is looked for beside it. */
  readonly path: string
  readonly text: string
}

/** What a configuration file depends on besides its text. */
export interface SettingsOptions {
  readonly env: Env
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: ReadFile
  /** What the environment alone comes to. */
  readonly base: Settings
  /** Who may call; rules about others are reported. Anybody where absent. */
  readonly callers?: Callers
  /** Whether no upstream is ever asked, so that a key that there is none of is no problem. Absent: no. */
  readonly isKeyless?: boolean
}

/** The settings and the files that were read for them, or everything that is wrong, in the order of the file. */
export type LoadedSettings =
  | {
      readonly ok: true
      readonly settings: Settings
      readonly filesRead: readonly string[]
      /** What is not wrong, but most likely not meant. */
      readonly warnings: readonly FileProblem[]
    }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Reads a configuration file, YAML or JSON: checked, completed with all defaults and deeply frozen, or all problems at
 * once.
 *
 * @example
 * const loaded = loadSettings({ path: 'nexcode.yaml', text }, { env: process.env, readFile, base: config.settings })
 */
export function loadSettings(source: SettingsSource, options: SettingsOptions): LoadedSettings {
  const { env, readFile, base, callers = ANY_CALLERS, isKeyless = false } = options
  const filesRead = new Set<string>()
  const readAndNote = (path: string): string => {
    filesRead.add(path)
    return readFile(path)
  }
  const document = readDocument(source.text, createSubstitute(env, readAndNote))
  const log = createProblemLog(source.path, document.locate)
  const foreign = foreignFileFault(document.value, source.path)
  if (foreign !== undefined) {
    // What else is odd about it is odd for us only.
    log.add([], foreign)
    return { ok: false, problems: log.problems() }
  }
  for (const { path, fault, position } of document.faults) {
    if (!(isKeyless && isPlaceOfKey(path))) log.add(path, fault, position)
  }
  if (!document.isFaulty([])) {
    const parts = { file: source.path, document, log, readFile: readAndNote, base, callers, isKeyless }
    const settings = toSettings(createScope(checkFile(document, log), parts))
    if (log.problems().length === 0) {
      return { ok: true, settings: freeze(settings), filesRead: [...filesRead], warnings: log.warnings() }
    }
  }
  return { ok: false, problems: log.problems() }
}

/** What a file without a word about resilience comes to. */
const RESILIENCE_DEFAULTS: ResilienceSettings = {
  retry: RETRY_DEFAULTS,
  hedge: undefined,
  // A limit of the top level is every upstream's, unless that has its own: here, it would go before those.
  timeouts: toTimeouts(undefined),
  allOpen: 'try',
}

function toSettings(scope: Scope): Settings {
  const { config, base } = scope
  const resilience = { ...RESILIENCE_DEFAULTS, ...toResilience(scope, [], config, RESILIENCE_DEFAULTS) }
  const upstreams = toUpstreams(scope, {
    timeouts: toTimeouts(config.timeouts),
    breaker: toBreaker(scope, ['breaker'], config.breaker, BREAKER_DEFAULTS),
  })
  if (config.unknown_models === 'refuse' && !scope.isWritten(['models'])) {
    scope.warn(['unknown_models'], {
      wrong: 'refuses every model, since models names none',
      cure: 'Name those that may be asked for in models, or take it out.',
    })
  }
  checkUpstreamName(scope, ['default_upstream'], config.default_upstream)
  const isOwn = scope.isWritten(['upstreams'])
  return {
    hasFile: true,
    upstreams,
    defaultUpstream: config.default_upstream ?? (isOwn ? upstreams[0]?.name : undefined) ?? base.defaultUpstream,
    models: toModels(scope, resilience),
    unknownModels: config.unknown_models ?? 'pass',
    resilience,
    params: toParamRules(scope),
    pins: toPins(scope, upstreams),
    debugHeaders: config.debug_headers ?? base.debugHeaders,
    clientDeadline: config.client_deadline ?? true,
    ...toAnswering(scope),
  }
}
