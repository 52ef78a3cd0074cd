import { LineCounter, parseDocument } from 'yaml'
import type { Json } from '../../formats/json/json.ts'
import type { Fault } from '../scalar-kinds.ts'
import type { Path } from './path.ts'
import type { Position, Side } from './problems.ts'
import type { Substitute } from './substitute.ts'
import { syntaxFault } from './syntax-fault.ts'
import { keyOfPath, plainData, type YamlData } from './yaml-data.ts'

/** The content of a file, and the place of each part. */
export interface FileDocument {
  /** Plain data; null for an empty value, and for a part with a fault of its own. */
  readonly value: Json
  /** The faults of syntax, keys that occur twice, aliases and variables. */
  readonly faults: readonly DocumentFault[]
  /** The place of a path; the place of the key above it, where the path is missing. */
  readonly locate: (path: Path, side: Side) => Position
  readonly isWritten: (path: Path) => boolean
  /** Whether a variable's value is in a text: it may be a number, and it may be a secret. */
  readonly hasVariable: (path: Path) => boolean
  /** The name of that variable; undefined: there is none. */
  readonly variableAt: (path: Path) => string | undefined
  /** Whether there is no value at a path because of one of the faults. */
  readonly isFaulty: (path: Path) => boolean
}

/** A fault of a document. */
export interface DocumentFault {
  readonly path: Path
  readonly position: Position
  readonly fault: Fault
}

/**
 * Reads YAML 1.2, and JSON as a part of it: plain data with the variables in its texts (not in its keys) substituted.
 *
 * @example
 * const document = readDocument('debug_headers: true', createSubstitute(env, readFile))
 */
export function readDocument(text: string, substitute: Substitute): FileDocument {
  const lines = new LineCounter()
  // Keys are texts, as in JSON; dates, sets and other types of YAML 1.1 are none of JSON's.
  const options = { lineCounter: lines, prettyErrors: false, stringKeys: true, resolveKnownTags: false } as const
  const parsed = parseDocument(text.replace(/^\uFEFF/, ''), { ...options, uniqueKeys: false, logLevel: 'error' })
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }

  // One mistake gives several errors of the parser: only the first is reported.
  const [first] = [...parsed.errors, ...parsed.warnings].toSorted((one, other) => one.pos[0] - other.pos[0])
  if (first !== undefined) return documentOf(unreadable(first.pos[0], first.code), position)
  if (parsed.directives?.yaml.version === '1.1') return documentOf(unreadable(0, 'BAD_DIRECTIVE'), position)
  return documentOf(plainData(parsed.contents, substitute), position)
}

function documentOf(data: YamlData, position: (offset: number) => Position): FileDocument {
  const { value, places, variables, faults } = data
  const faulty = new Set(faults.filter(({ isWithoutValue }) => isWithoutValue).map(({ path }) => keyOfPath(path)))
  return {
    value,
    faults: faults.map(({ path, offset, fault }) => ({ path, position: position(offset), fault })),
    locate(path, side) {
      for (let length = path.length; length > 0; length -= 1) {
        const place = places.get(keyOfPath(path.slice(0, length)))
        if (place !== undefined) return position(length < path.length ? place.key : place[side])
      }
      return { line: 1, column: 1 }
    },
    isWritten: (path) => places.has(keyOfPath(path)),
    hasVariable: (path) => variables.has(keyOfPath(path)),
    variableAt: (path) => variables.get(keyOfPath(path)),
    isFaulty: (path) => faulty.has(keyOfPath(path)),
  }
}

function unreadable(offset: number, code: string): YamlData {
  const fault = { path: [], offset, fault: syntaxFault(code), isWithoutValue: true }
  return { value: null, places: new Map(), variables: new Map(), faults: [fault] }
}
