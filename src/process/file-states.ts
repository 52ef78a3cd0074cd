import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readTextFile } from '../storage/read-text-file.ts'

/** The state of a path that can be read only once, such as a pipe. */
export const NO_PLAIN_FILE = 'no plain file'

/** The states of files just before they were read, by absolute path. */
export type FileStates = ReadonlyMap<string, string>

/**
 * Gives the state of a file, which is another one after any change: made of its status, which follows links (a Kubernetes volume swaps
 * one), and which every file system has. A file that does not exist, or can't be reached, has a state too. Never throws.
 *
 * @example
 * const state = stateOf('/etc/nexcode/nexcode.yaml')
 */
export function stateOf(path: string): string {
  try {
    const stat = statSync(path, { bigint: true })
    // A pipe (`--config <(decrypt …)`) can't be read twice.
    if (!stat.isFile()) return NO_PLAIN_FILE
    const { dev, ino, size, mtimeNs, ctimeNs } = stat
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (cause) {
    return codeOf(cause)
  }
}

/** Codes of failures that pass: the file itself is not at fault, and is read as soon as it can be. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EIO',
  'EAGAIN',
  'EINTR',
  'ESTALE',
  'ETIMEDOUT',
])

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
}

/** Gives the states of the same files now. */
export function statesNow(states: FileStates): FileStates {
  return new Map([...states.keys()].map((path) => [path, stateOf(path)]))
}

/** Whether two looks at the same files found the same states. */
export function areSame(one: FileStates, other: FileStates): boolean {
  return [...one].every(([path, state]) => other.get(path) === state)
}

/** Reads files, and keeps their states and texts. */
export interface FileReader {
  /** Gives the text of a file. Throws the system's error when it can't be read. */
  readonly read: (path: string) => string
  readonly states: FileStates
  /** The texts of the files that could be read, by absolute path. */
  readonly texts: ReadonlyMap<string, string>
}

/**
 * Makes a reader that keeps the states and texts of its files. A file that can be read only once is not read again when `kept` has
 * its text.
 *
 * @example
 * const files = createFileReader()
 * const loaded = loadConfig(env, { isTerminal, readFile: files.read })
 */
export function createFileReader(kept: FileReader['texts'] = new Map()): FileReader {
  const states = new Map<string, string>()
  const texts = new Map<string, string>()
  return {
    states,
    texts,
    read(path) {
      const full = resolve(path)
      // The state is taken before the reading: a change in between must not go unnoticed.
      const state = stateOf(full)
      states.set(full, state)
      const text = (state === NO_PLAIN_FILE ? kept.get(full) : undefined) ?? readNow(full)
      texts.set(full, text)
      return text
    },
  }
  function readNow(path: string): string {
    try {
      return readTextFile(path)
    } catch (cause) {
      // This is no state that a look finds, so the next look takes the file for changed.
      if (TRANSIENT.has(codeOf(cause))) states.set(path, codeOf(cause))
      throw cause
    }
  }
}
