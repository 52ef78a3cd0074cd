import type { Fault } from '../scalar-kinds.ts'
import type { Places } from './check-file.ts'
import { besideFile, type ReadFile, readNamedFile } from './named-file.ts'
import type { Path } from './path.ts'
import type { ProblemLog, Side } from './problems.ts'
import type { FileDocument } from './read-document.ts'
import { showScalar } from './wording.ts'

/** The callers of a server, as far as rules can name them. */
export interface Callers {
  /** The names of the tokens, in the order of their list; those without one have that of their digest. */
  readonly names: readonly string[]
  /** Whether one of the tokens is asked for. */
  readonly isRequired: boolean
  /** Whether the tokens are in a file, which may have others later. */
  readonly mayChange: boolean
  /** Whether there is a ledger, whose keys are callers, too. Absent: no. */
  readonly hasLedger?: boolean
  /** Whether the server can be reached from this machine only. */
  readonly isLoopback: boolean
}

/** Unknown callers: rules about them are not judged. */
export const ANY_CALLERS: Callers = { names: [], isRequired: false, mayChange: true, isLoopback: true }

/** The parts that all readers of one file share. */
export interface SectionReaderParts {
  /** The path of the configuration file, as it was named. */
  readonly file: string
  /** The names that a target, a pin or the default may use, also those of upstreams with a problem. */
  readonly upstreamNames: readonly string[]
  readonly callers: Callers
  /** Whether no key is ever sent. */
  readonly isKeyless: boolean
  readonly places: Places
  readonly document: FileDocument
  readonly log: ProblemLog
  readonly readFile: ReadFile
}

/**
 * Reads one part of a checked file for its section: it knows the part's place, and reports problems there.
 *
 * @example
 * if (ttlMs > ttlMaxMs) reader.at('cache').add({ wrong: 'has a ttl longer than its ttl_max', cure: '…' }, 'key')
 */
export class SectionReader {
  /** The part's place in the file. */
  readonly path: Path
  readonly #parts: SectionReaderParts

  constructor(parts: SectionReaderParts, path: Path = []) {
    this.#parts = parts
    this.path = path
  }

  get upstreamNames(): readonly string[] {
    return this.#parts.upstreamNames
  }

  get callers(): Callers {
    return this.#parts.callers
  }

  get isKeyless(): boolean {
    return this.#parts.isKeyless
  }

  /** The reader of a value below this part, by its keys. */
  at(...steps: Path): SectionReader {
    return new SectionReader(this.#parts, [...this.path, ...steps])
  }

  /** The reader of an object or a list, anywhere in the file. */
  of(part: object): SectionReader {
    return new SectionReader(this.#parts, this.#parts.places.pathOf(part))
  }

  /** The reader of an entry of a list, anywhere in the file. */
  ofEntry(list: readonly unknown[], index: number): SectionReader {
    return new SectionReader(this.#parts, this.#parts.places.pathOfEntry(list, index))
  }

  /** Reports a fault of the part. */
  report(fault: Fault, side?: Side): void {
    this.#parts.log.add(this.path, fault, side)
  }

  /** Warns of a valid part that is most likely not meant. */
  warn(fault: Fault, side?: Side): void {
    this.#parts.log.warn(this.path, fault, side)
  }

  /** Whether the file has a value there, right or wrong. */
  isWritten(): boolean {
    return this.#parts.document.isWritten(this.path)
  }

  /** The name of the variable that the text is taken from; undefined: it stands in the file. */
  variable(): string | undefined {
    return this.#parts.document.variableAt(this.path)
  }

  /** The text as a problem may show it; undefined where it may be a secret. */
  show(text: string): string | undefined {
    return this.#parts.document.hasVariable(this.path) ? undefined : showScalar(text)
  }

  /** A path of a file as seen from the configuration file. */
  beside(name: string): string {
    return besideFile(this.#parts.file, name)
  }

  /** The trimmed text of the file that the part names, as seen from the configuration file; undefined and a report: it cannot be read. */
  readFile(name: string): string | undefined {
    const read = readNamedFile(name === '' ? '' : this.beside(name), this.#parts.readFile)
    if (read.ok) return read.value
    this.report(read.fault)
    return undefined
  }
}
