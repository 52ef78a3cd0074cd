import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readTextFile } from '../storage/read-text-file.ts'

/** The state of what can be read once only, such as a pipe. */
export const NO_PLAIN_FILE = 'no plain file'

/** Files by their absolute paths, and how each was just before it was read. */
export type FileStates = ReadonlyMap<string, string>

/**
 * How a file is, so that any change to it shows: by its status, which follows links (a Kubernetes volume swaps one), and
 * which every file system has. One that is not there, or not to be reached, has a state too.
 *
 * @example
 * const state = stateOf('/etc/nexcode/nexcode.yaml')
 */
export function stateOf(path: string): string {
  try {
    const stat = statSync(path, { bigint: true })
    // What came through a pipe (`--config <(decrypt …)`) can't be read twice.
    if (!stat.isFile()) return NO_PLAIN_FILE
    const { dev, ino, size, mtimeNs, ctimeNs } = stat
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (cause) {
    return codeOf(cause)
  }
}

/** Why a file can't be read now, though nothing is wrong with it: it is read as soon as it can be. */
const PASSING: ReadonlySet<string> = new Set([
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

/** The same files, as they are now. */
export function statesNow(states: FileStates): FileStates {
  return new Map([...states.keys()].map((path) => [path, stateOf(path)]))
}

/** Whether two looks at the same files saw the same. */
export function areSame(one: FileStates, other: FileStates): boolean {
  return [...one].every(([path, state]) => other.get(path) === state)
}

/** Reads files, and notes how each was and what was in it. */
export interface FileReader {
  /** The text of a file; throws where it can't be read. */
  readonly read: (path: string) => string
  readonly states: FileStates
  /** What was in those that could be read, by their absolute paths. */
  readonly texts: ReadonlyMap<string, string>
}

/**
 * Makes a reader of files that notes what it has read. What can be read once only is not read again where `kept` has its text.
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
      // Before it is read: a change in between must not go unnoticed.
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
      // No state that a look at it finds: the next one takes it for changed.
      if (PASSING.has(codeOf(cause))) states.set(path, codeOf(cause))
      throw cause
    }
  }
}
