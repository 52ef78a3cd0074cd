import { readFileSync, statSync } from 'node:fs'
import { type Env, variableIn } from '../config/env-reader.ts'
import { isCompiled } from './own-command.ts'

/** What a person may take for configuration: other programs read it. */
const FILES = ['.env', '.env.local'] as const
/** A line that sets a variable. */
const SETS = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/
const NAMED_MAX = 8

/**
 * Has the program that runs from source forget what the runtime has read from a `.env` in the working folder, as the compiled one
 * never reads it: whoever may write into a folder is not to decide where the keys of a server go that is started there.
 *
 * Where the system does not tell what a process was started with (it does on Linux), `bunfig.toml` and the scripts of `package.json`
 * switch the reading off.
 */
export function forgetDotEnv(): void {
  if (isCompiled()) return
  let given: string
  try {
    given = readFileSync('/proc/self/environ', 'utf8')
  } catch {
    return
  }
  const names = new Set(given.split('\0').map((entry) => entry.slice(0, entry.indexOf('='))))
  for (const name of Object.keys(process.env)) if (!names.has(name)) delete process.env[name]
}

/**
 * Says that a `.env` lies in the working folder which is not read, where it sets what the environment does not; undefined: there is
 * none, or nothing is missed. Names only: values are secrets.
 *
 * @example
 * const warning = dotEnvWarning(process.env)
 */
export function dotEnvWarning(env: Env): string | undefined {
  for (const file of FILES) {
    if (!isFile(file)) continue
    const missed = namesIn(file)?.filter((name) => (variableIn(env, name) ?? '') === '')
    if (missed?.length === 0) continue
    const cure = `To have it read: set -a; . ./${file}; set +a (in a container: docker run --env-file ${file}).`
    return `The ${file} in this folder is not read${missed === undefined ? '' : `, and sets what is not set: ${listed(missed)}`}. ${cure}`
  }
  return undefined
}

/** To read a pipe that lies there would wait for its writer. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The variables that a file sets; undefined: it can't be read. */
function namesIn(file: string): readonly string[] | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return [...new Set(lines.flatMap((line) => SETS.exec(line)?.[1] ?? []))]
  } catch {
    return undefined
  }
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX
  return `${names.slice(0, NAMED_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
