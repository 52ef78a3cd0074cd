import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Env } from '../config/env-reader.ts'
import type { Settings } from '../config/settings.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { type FileStates, stateOf } from './file-states.ts'

/** The names by which a file in the working folder is found without being named. */
const FOUND_NAMES = ['nexcode.yaml', 'nexcode.yml', 'nexcode.json'] as const

/** What a configuration file came to: the settings, or what is wrong as a text for a person and line by line. */
export type ReadConfigFile = (
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly text: string; readonly problems: readonly string[] }
) & {
  /** The file itself and all that it names, also those that could not be read. */
  readonly filesRead: FileStates
}

/**
 * The configuration file that is meant: `--config`, else `NEXCODE_CONFIG`, else one of the usual names in the working
 * folder; undefined: none.
 *
 * @example
 * const path = findConfigFile(flags.config, config.file)
 */
export function findConfigFile(flag: string | undefined, named: string | undefined): string | undefined {
  return flag ?? named ?? FOUND_NAMES.find((name) => existsSync(name))
}

/**
 * Reads a configuration file, whole and checked.
 *
 * `base` is what the environment alone comes to. What reads it is loaded where there is a file only.
 *
 * @example
 * const read = await readConfigFile('nexcode.yaml', process.env, config.settings)
 */
export async function readConfigFile(path: string, env: Env, base: Settings): Promise<ReadConfigFile> {
  const filesRead = new Map<string, string>()
  const readFile = (name: string): string => {
    // Before it is read: a change in between must not go unnoticed.
    const full = resolve(name)
    filesRead.set(full, stateOf(full))
    return readFileSync(full, 'utf8')
  }
  let text: string
  try {
    text = readFile(path)
  } catch (cause) {
    const wrong = `${path} cannot be read: ${describeSystemError(cause)}.`
    return {
      ok: false,
      text: `${wrong}\n  Name a file that there is, by --config or NEXCODE_CONFIG.\n`,
      problems: [wrong],
      filesRead,
    }
  }
  const [{ loadSettings }, { renderFileProblems }] = await Promise.all([
    import('../config/file/load-settings.ts'),
    import('../config/file/problems.ts'),
  ])
  const loaded = loadSettings({ path, text }, { env, readFile, base })
  if (loaded.ok) return { ok: true, settings: loaded.settings, filesRead }
  const problems = loaded.problems.map((problem) => renderFileProblems([problem]).trimEnd().replace(/\n\s*/g, ' '))
  return { ok: false, text: renderFileProblems(loaded.problems), problems, filesRead }
}
