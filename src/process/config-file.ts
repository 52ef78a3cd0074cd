import { existsSync } from 'node:fs'
import { nameTokens } from '../access/name-tokens.ts'
import type { Config } from '../config/config.ts'
import type { Env } from '../config/env-reader.ts'
import type { FileProblem } from '../config/file/problems.ts'
import type { Callers } from '../config/file/section-reader.ts'
import type { Settings } from '../config/settings.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { createFileReader, type FileReader, type FileStates } from './file-states.ts'
import { sha256 } from './sha256.ts'

/** The names of files in the working folder that are found without being named. */
const FOUND_NAMES = ['nexcode.yaml', 'nexcode.yml', 'nexcode.json'] as const

/** The result of reading a configuration file: the settings, or its problems, as a text for a person and line by line. */
export type ReadConfigFile = (
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly text: string; readonly problems: readonly string[] }
) & {
  /** The file and all files that it names, including those that could not be read. */
  readonly filesRead: FileStates
  /** The texts of these files. */
  readonly texts: FileReader['texts']
  /** Whether the file holds only spaces and comments. */
  readonly isEmpty: boolean
}

/**
 * Finds the configuration file: `--config`, else `NEXCODE_CONFIG`, else one of the usual names in the working
 * folder; undefined: none.
 *
 * @example
 * const path = findConfigFile(flags.config, config.file)
 */
export function findConfigFile(flag: string | undefined, named: string | undefined): string | undefined {
  return flag ?? named ?? FOUND_NAMES.find((name) => existsSync(name))
}

/**
 * Reads and checks a configuration file. Never rejects for problems of the file: they are in the result.
 *
 * `config` is the configuration of the environment alone. `kept` are the texts of an earlier reading, since some files can be read only
 * once. With `isKeyless`, missing keys are no problem. The code that reads a file is loaded only when there is one.
 *
 * @example
 * const read = await readConfigFile('nexcode.yaml', process.env, config)
 */
export async function readConfigFile(
  path: string,
  env: Env,
  config: Config,
  { kept, isKeyless = false }: { readonly kept?: FileReader['texts']; readonly isKeyless?: boolean } = {},
): Promise<ReadConfigFile> {
  const files = createFileReader(kept)
  const { states: filesRead, texts } = files
  let text: string
  try {
    text = files.read(path)
  } catch (cause) {
    const wrong = `${path} cannot be read: ${describeSystemError(cause)}.`
    return {
      ok: false,
      text: `${wrong}\n  Name a file that there is, by --config or NEXCODE_CONFIG.\n`,
      problems: [wrong],
      filesRead,
      texts,
      isEmpty: false,
    }
  }
  const [{ loadSettings }, { renderFileProblems }] = await Promise.all([
    import('../config/load-settings.ts'),
    import('../config/file/problems.ts'),
  ])
  const isEmpty = text.split('\n').every((line) => /^\s*(?:#|---\s*$|$)/.test(line))
  const options = { env, readFile: files.read, base: config.settings, callers: callersOf(config, env), isKeyless }
  const loaded = loadSettings({ path, text }, options)
  const inLines = (problems: readonly FileProblem[]): string[] =>
    problems.map((problem) => renderFileProblems([problem]).trimEnd().replace(/\n\s*/g, ' '))
  if (loaded.ok) {
    return { ok: true, settings: loaded.settings, warnings: inLines(loaded.warnings), filesRead, texts, isEmpty }
  }
  const { problems } = loaded
  return { ok: false, text: renderFileProblems(problems), problems: inLines(problems), filesRead, texts, isEmpty }
}

/** Gives the callers that the rules of a file may name. */
function callersOf({ auth, server, settings }: Config, env: Env): Callers {
  return {
    names: nameTokens(auth.tokens, sha256).map(({ name }) => name),
    isRequired: auth.required,
    mayChange: (env['API_TOKEN_FILE']?.trim() ?? '') !== '',
    hasLedger: settings.ledger.store !== undefined,
    isLoopback: server.isLoopback,
  }
}
