import { createEnvReader } from '../env-reader.ts'
import { type Parsed, right, wrong } from '../kind.ts'
import { path as pathKind } from '../text-kinds.ts'

/** Reads a file; throws where it cannot be read. */
export type ReadFile = (path: string) => string

/**
 * The trimmed text of a file that a configuration names; a fault, which names no path, where there is none or it is
 * empty.
 */
export function readNamedFile(path: string, readFile: ReadFile): Parsed<string> {
  // The environment's reader knows what can be wrong with a file; it needs a variable to name it by.
  const row = { name: 'FILE', kind: pathKind, default: undefined, doc: '', example: '' }
  const reader = createEnvReader({ FILE: path }, readFile)
  const text = reader.takeFile(row)
  if (text !== undefined) return right(text)
  const [problem] = reader.problems
  if (problem === undefined) return wrong('names no file', 'Name a file.')
  return wrong(problem.wrong.replace(` (${path})`, ''), problem.cure)
}

/** A path as it is meant in a configuration file: relative to the folder that the file is in. */
export function besideFile(configurationFile: string, path: string): string {
  if (/^([/\\]|[a-z]:[/\\])/i.test(path)) return path
  const folder = /^.*[/\\]/.exec(configurationFile)?.[0] ?? ''
  return folder + path.replace(/^(\.[/\\])+/, '')
}
