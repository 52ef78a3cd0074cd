import { createEnvReader } from '../env-reader.ts'
import { type Parsed, right, wrong } from '../scalar-kinds.ts'
import { path as pathKind } from '../text-kinds.ts'

/** Reads a file; throws where it cannot be read. */
export type ReadFile = (path: string) => string

/**
 * Gives the trimmed text of a file that a configuration names; a fault, which names no path, where the file is missing or
 * empty.
 */
export function readNamedFile(path: string, readFile: ReadFile): Parsed<string> {
  // The environment's reader knows the faults of files; it needs a variable as the file's name.
  const row = { name: 'FILE', kind: pathKind, default: undefined, doc: '', example: '' }
  const reader = createEnvReader({ FILE: path }, readFile)
  const text = reader.takeFile(row)
  if (text !== undefined) return right(text)
  const [problem] = reader.problems
  if (problem === undefined) return wrong('names no file', 'Name a file.')
  return wrong(problem.wrong.replace(` (${path})`, ''), problem.cure)
}

/** Resolves a path of a configuration file, which is relative to that file's folder. */
export function besideFile(configurationFile: string, path: string): string {
  if (/^([/\\]|[a-z]:[/\\])/i.test(path)) return path
  const folder = /^.*[/\\]/.exec(configurationFile)?.[0] ?? ''
  return folder + path.replace(/^(\.[/\\])+/, '')
}
