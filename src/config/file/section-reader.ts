import type { Places } from './check-file.ts'
import { besideFile, type ReadFile, readNamedFile } from './named-file.ts'
import type { Path } from './path.ts'
import type { ProblemLog } from './problems.ts'
import type { FileDocument } from './read-document.ts'
import { showScalar } from './wording.ts'

/** Who may call a server, as far as rules can name them. */
export interface Callers {
  /** The names of the tokens, in the order of their list; those without one have that of their digest. */
  readonly names: readonly string[]
  /** Whether one of the tokens is asked for. */
  readonly isRequired: boolean
  /** Whether the tokens are in a file, which may have others later. */
  readonly mayChange: boolean
  /** Whether the server can be reached from this machine only. */
  readonly isLoopback: boolean
}

/** Callers of whom nothing is known: nothing can be said of rules about them. */
export const ANY_CALLERS: Callers = { names: [], isRequired: false, mayChange: true, isLoopback: true }

/** What each section of a checked file is turned into settings with: where its parts stand, and where problems are reported. */
export interface SectionReader extends Places {
  /** The names that a target, a pin or the default may use, also those of upstreams with a problem. */
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
  /** A path as seen from the configuration file. */
  readonly beside: (path: string) => string
  /** The trimmed text of the file that is named at a path, as seen from the configuration file; reports one that cannot be read. */
  readonly readFile: (path: Path, name: string) => string | undefined
}

/** What a section reader is made of. */
export interface SectionReaderParts extends Pick<SectionReader, 'upstreamNames' | 'callers' | 'isKeyless'> {
  /** The path of the configuration file, as it was named. */
  readonly file: string
  readonly places: Places
  readonly document: FileDocument
  readonly log: ProblemLog
  readonly readFile: ReadFile
}

/** Makes the reader that all sections of one file share. */
export function createSectionReader(parts: SectionReaderParts): SectionReader {
  const { file, upstreamNames, callers, isKeyless, places, document, log, readFile } = parts
  const beside = (path: string): string => besideFile(file, path)
  return {
    ...places,
    upstreamNames,
    add: log.add,
    warn: log.warn,
    callers,
    isKeyless,
    isWritten: document.isWritten,
    variableAt: document.variableAt,
    show: (path, text) => (document.hasVariable(path) ? undefined : showScalar(text)),
    beside,
    readFile(path, name) {
      const full = name === '' ? '' : beside(name)
      const read = readNamedFile(full, readFile)
      if (read.ok) return read.value
      log.add(path, read.fault)
      return undefined
    },
  }
}
