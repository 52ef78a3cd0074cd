import { statSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { describeSystemError } from '../../config/system-errors.ts'
import { readTextFile } from '../../storage/read-text-file.ts'

/** The files of an extension, read before any of them is run. */
export interface ExtensionSource {
  /** The file itself and all files that it imports by a path, also missing ones. */
  readonly files: readonly string[]
  readonly problems: readonly ExtensionProblem[]
}

/** A problem of an extension. */
export interface ExtensionProblem {
  /** Its file, with line and column where they are known: `/srv/hello.ts:3:14`. */
  readonly at: string
  /** The end of a sentence that begins with the file. */
  readonly wrong: string
  /** The advice: what to do. */
  readonly cure: string
}

const LOADERS: ReadonlyMap<string, Bun.JavaScriptLoader> = new Map([
  ['.ts', 'ts'],
  ['.mts', 'ts'],
  ['.cts', 'ts'],
  ['.tsx', 'tsx'],
  ['.js', 'js'],
  ['.mjs', 'js'],
  ['.cjs', 'js'],
  ['.jsx', 'jsx'],
])
/** The endings that a path in an import may lack. */
const ENDINGS = ['', ...LOADERS.keys(), '.json', '/index.ts', '/index.js'] as const

/**
 * Goes through an extension and the files that it imports by a path, without running them.
 *
 * The runtime keeps a failed module with its failure, and tells only the first problem: so all problems that can be found without it are.
 *
 * @example
 * const { files, problems } = scanExtension('/srv/hello.ts')
 */
export function scanExtension(path: string): ExtensionSource {
  const files = new Set<string>()
  const problems: ExtensionProblem[] = []
  const waiting: { readonly file: string; readonly from: string | undefined }[] = [{ file: path, from: undefined }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, from } = next
    if (files.has(file)) continue
    files.add(file)
    const text = read(file)
    if (typeof text !== 'string') {
      const cure = from === undefined ? 'Name a file that there is.' : `It is imported by ${from}.`
      problems.push({ at: file, wrong: `can't be read: ${text.problem}`, cure })
      continue
    }
    const scanned = scan(file, text)
    if ('problem' in scanned) problems.push(scanned.problem)
    else for (const specifier of scanned.paths) waiting.push({ file: locate(file, specifier), from: file })
  }
  return { files: [...files], problems }
}

function read(file: string): string | { readonly problem: string } {
  try {
    return readTextFile(file)
  } catch (cause) {
    return { problem: describeSystemError(cause) }
  }
}

/** Finds the paths that a file imports. Packages, and files that are not programs, are left to the runtime. */
function scan(
  file: string,
  text: string,
): { readonly paths: readonly string[] } | { readonly problem: ExtensionProblem } {
  const loader = LOADERS.get(extname(file))
  if (loader === undefined) return { paths: [] }
  try {
    const { imports } = new Bun.Transpiler({ loader }).scan(text)
    const paths = imports.map((one) => one.path).filter((specifier) => /^\.{0,2}\//.test(specifier))
    return { paths }
  } catch (cause) {
    return { problem: syntaxProblem(file, cause) }
  }
}

function syntaxProblem(file: string, cause: unknown): ExtensionProblem {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  const message = first instanceof Error || isMessage(first) ? first.message : String(first)
  const at = isMessage(first) && first.position ? `${file}:${first.position.line}:${first.position.column}` : file
  return { at, wrong: `is no TypeScript: ${message}`, cure: 'Correct it there.' }
}

/** Whether an error is one of the transpiler's. */
function isMessage(
  cause: unknown,
): cause is { message: string; position?: { readonly line: number; readonly column: number } | null } {
  return typeof cause === 'object' && cause !== null && 'message' in cause
}

/** Finds the file that an import means; without one, the path as it is written. */
function locate(from: string, specifier: string): string {
  const path = resolve(dirname(from), specifier)
  const found = ENDINGS.map((ending) => path + ending).find((candidate) => isFile(candidate))
  return found ?? path
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
