import { isJsonObject } from '../formats/json/json.ts'
import type { Env } from './env-reader.ts'
import { checkFile } from './file/check-file.ts'
import { foreignFileFault } from './file/foreign-file.ts'
import type { ReadFile } from './file/named-file.ts'
import { createProblemLog, type FileProblem } from './file/problems.ts'
import { type FileDocument, readDocument } from './file/read-document.ts'
import { ANY_CALLERS, type Callers, SectionReader } from './file/section-reader.ts'
import { createSubstitute } from './file/substitute.ts'
import { ConfigFile } from './file-schema.ts'
import { freeze } from './freeze.ts'
import { isPlaceOfKey } from './sections/upstreams/keys.ts'
import type { Settings } from './settings.ts'
import { settingsFromFile } from './settings-from-file.ts'

/** A configuration file. */
export interface SettingsSource {
  /** The path as problems name it; the files that it names are looked for in its folder. */
  readonly path: string
  readonly text: string
}

/** The inputs of a configuration file besides its text. */
export interface SettingsOptions {
  readonly env: Env
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: ReadFile
  /** The settings by the environment alone. */
  readonly base: Settings
  /** The callers that are let in; rules about others are reported. Absent: anybody. */
  readonly callers?: Callers
  /** Whether no upstream is ever asked, so that a missing key is no problem. Absent: no. */
  readonly isKeyless?: boolean
}

/** The settings and the files that were read for them, or all problems, in the order of the file. */
export type LoadedSettings =
  | {
      readonly ok: true
      readonly settings: Settings
      readonly filesRead: readonly string[]
      /** Valid parts that are most likely not meant. */
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
    // Further problems would only say how it differs from a file of ours.
    log.add([], foreign)
    return { ok: false, problems: log.problems() }
  }
  for (const { path, fault, position } of document.faults) {
    if (!(isKeyless && isPlaceOfKey(path))) log.add(path, fault, position)
  }
  if (!document.isFaulty([])) {
    const { config, places } = checkFile(ConfigFile, document, log)
    const upstreamNames = upstreamNamesOf(document, base)
    const hasLedger = callers.hasLedger === true || document.isWritten(['ledger'])
    const known = { ...callers, hasLedger }
    const parts = { file: source.path, upstreamNames, callers: known, isKeyless, places, document, log }
    const settings = settingsFromFile(new SectionReader({ ...parts, readFile: readAndNote }), config, base)
    if (log.problems().length === 0) {
      return { ok: true, settings: freeze(settings), filesRead: [...filesRead], warnings: log.warnings() }
    }
  }
  return { ok: false, problems: log.problems() }
}

/** The names that a target, a pin or the default may use, also those of upstreams with a problem. */
function upstreamNamesOf(document: FileDocument, base: Settings): readonly string[] {
  if (!document.isWritten(['upstreams'])) return base.upstreams.map(({ name }) => name)
  const written = isJsonObject(document.value) ? document.value['upstreams'] : undefined
  return Object.keys(isJsonObject(written) ? written : {})
}
