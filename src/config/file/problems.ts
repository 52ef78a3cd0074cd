import type { Fault } from '../scalar-kinds.ts'
import { type Path, renderPath } from './path.ts'

/** One problem of a configuration file. It never holds a part of a secret. */
export interface FileProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Such as `models.smart.targets[0].upstream`; empty for the whole file. */
  readonly path: string
  /** The fault, as the end of a sentence that begins with the path. */
  readonly wrong: string
  /** How to mend it, as a sentence. */
  readonly cure: string
}

/** A place in a text: line and column, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Whether a key is meant, or the value behind it. */
export type Side = 'key' | 'value'

/** Gathers the problems of a file. */
export interface ProblemLog {
  /** In the order of the file. */
  readonly problems: () => readonly FileProblem[]
  /** Warnings of valid parts that are most likely not meant, in the order of the file. */
  readonly warnings: () => readonly FileProblem[]
  /** `at` may be a position, where it is not the path's own. */
  readonly add: (path: Path, fault: Fault, at?: Side | Position) => void
  readonly warn: (path: Path, fault: Fault, at?: Side) => void
}

/** Makes the log of a file's problems, given where each path stands in it. */
export function createProblemLog(file: string, locate: (path: Path, side: Side) => Position): ProblemLog {
  const found: FileProblem[] = []
  const odd: FileProblem[] = []
  const problemAt = (path: Path, { wrong, cure }: Fault, at: Side | Position): FileProblem => {
    return { file, ...(typeof at === 'string' ? locate(path, at) : at), path: renderPath(path), wrong, cure }
  }
  return {
    problems: () => found.toSorted(byPosition),
    warnings: () => odd.toSorted(byPosition),
    add: (path, fault, at = 'value') => void found.push(problemAt(path, fault, at)),
    warn: (path, fault, at = 'value') => void odd.push(problemAt(path, fault, at)),
  }
}

function byPosition(one: Position, other: Position): number {
  return one.line - other.line || one.column - other.column
}

/**
 * Writes the problems of a file for a person: the place, the fault, and the cure.
 *
 * @example
 * if (!loaded.ok) process.stderr.write(renderFileProblems(loaded.problems))
 */
export function renderFileProblems(problems: readonly FileProblem[]): string {
  return problems
    .map(({ file, line, column, path, wrong, cure }) => {
      return `${file}:${line}:${column} ${path === '' ? 'The file' : path} ${wrong}.\n  ${cure}\n`
    })
    .join('')
}
