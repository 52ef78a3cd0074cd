import { isJsonObject } from '../../formats/json/json.ts'
import type { Settings } from '../settings.ts'
import type { Callers } from './callers.ts'
import type { CheckedFile } from './check-file.ts'
import { besideFile, type ReadFile, readNamedFile } from './named-file.ts'
import type { Path } from './path.ts'
import type { ProblemLog } from './problems.ts'
import type { FileDocument } from './read-document.ts'
import { showScalar } from './wording.ts'

/** What the parts of a checked file are turned into settings with. */
export interface Scope extends CheckedFile {
  /** The path of the file, as it was named. */
  readonly file: string
  /** What the environment alone comes to. */
  readonly base: Settings
  /** All that a target, a pin or the default may name; also those that something is wrong with. */
  readonly upstreamNames: readonly string[]
  readonly add: ProblemLog['add']
  /** Reports what is not wrong, but most likely not meant. */
  readonly warn: ProblemLog['warn']
  readonly callers: Callers
  /** Whether no key is ever sent. */
  readonly isKeyless: boolean
  readonly isWritten: (path: Path) => boolean
  /** The name of the variable that the text at a path is taken from; undefined: it stands in the file. */
  readonly variableAt: (path: Path) => string | undefined
  /** The text at a path as a problem may show it; undefined where it may be a secret. */
  readonly show: (path: Path, text: string) => string | undefined
  /** The trimmed text of the file that is named at a path, as seen from the configuration file; reports where there is none. */
  readonly readFile: (path: Path, name: string) => string | undefined
}

/** What a scope is made of. */
export interface ScopeParts {
  readonly file: string
  readonly document: FileDocument
  readonly log: ProblemLog
  readonly readFile: ReadFile
  readonly base: Settings
  readonly callers: Callers
  readonly isKeyless: boolean
}

/** Makes what the parts of a file are turned into settings with. */
export function createScope(checked: CheckedFile, parts: ScopeParts): Scope {
  const { file, document, log, readFile, base, callers, isKeyless } = parts
  const written = isJsonObject(document.value) ? document.value['upstreams'] : undefined
  return {
    ...checked,
    file,
    base,
    upstreamNames: document.isWritten(['upstreams'])
      ? Object.keys(isJsonObject(written) ? written : {})
      : base.upstreams.map(({ name }) => name),
    add: log.add,
    warn: log.warn,
    callers,
    isKeyless,
    isWritten: document.isWritten,
    variableAt: document.variableAt,
    show: (path, text) => (document.hasVariable(path) ? undefined : showScalar(text)),
    readFile(path, name) {
      const full = name === '' ? '' : besideFile(file, name)
      const read = readNamedFile(full, readFile)
      if (read.ok) return read.value
      log.add(path, read.fault)
      return undefined
    },
  }
}
