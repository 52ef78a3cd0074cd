import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The folder of the repository, with a slash at its end. */
export const ROOT = new URL('../..', import.meta.url).pathname

/** One import of a source file. */
export interface Import {
  /** A path below src/ for one of ours, else the name of a package. */
  readonly target: string
  readonly isOurs: boolean
  /** Gone at run time. */
  readonly isType: boolean
}

/** One source file. */
export interface Source {
  /** Below src/. */
  readonly path: string
  readonly text: string
  /** Without comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

/** All files of src/, by path. */
export const SOURCES: readonly Source[] = [...new Bun.Glob('**/*').scanSync(join(ROOT, 'src'))]
  .toSorted()
  .map(readSource)

/** Reads one file of src/. */
export function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, 'src', path), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
  return { path, text, code, imports: importsOf(path, code) }
}

function importsOf(path: string, code: string): Import[] {
  const found: Import[] = []
  const add = (specifier: string, isType: boolean): void => {
    const isOurs = specifier.startsWith('.')
    found.push({ target: isOurs ? normalize(join(dirname(path), specifier)) : specifier, isOurs, isType })
  }
  for (const [, clause = '', specifier = ''] of code.matchAll(/^(?:import|export)\s([^'"]*?)\sfrom\s'([^']+)'/gm)) {
    add(specifier, isTypeOnly(clause))
  }
  for (const [, specifier = ''] of code.matchAll(/(?:^import\s|\bimport\()'([^']+)'/gm)) add(specifier, false)
  return found
}

/** Whether all that an import names is types: `type { A }`, or `{ type A, type B }`. */
function isTypeOnly(clause: string): boolean {
  if (clause.startsWith('type ')) return true
  const named = /^\{([\s\S]*)\}$/.exec(clause.trim())?.[1]
  const names = named?.split(',').map((name) => name.trim())
  return names?.every((name) => name === '' || name.startsWith('type ')) ?? false
}

/** The part of the tree that a path belongs to: a folder, or a file beside the folders. */
export function partOf(path: string): string {
  return path.includes('/') ? `${path.split('/')[0]}/` : path
}
