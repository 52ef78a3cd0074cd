import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { Env } from '../config/env-reader.ts'
import { renderConfigProblems } from '../config/help-text.ts'
import { loadConfig } from '../config/load.ts'
import { findMisspelt } from '../config/misspelt-variables.ts'
import type { Settings } from '../config/settings.ts'
import { findConfigFile, readConfigFile } from './config-file.ts'
import { availableCores } from './cores.ts'
import type { FileStates } from './file-states.ts'

/** A configuration, and where it can be read again. */
export interface Configuration {
  readonly config: Config
  /** The configuration file; undefined: the environment alone. */
  readonly file: { readonly path: string; readonly filesRead: FileStates } | undefined
  /** What the environment alone comes to. */
  readonly base: Settings
}

/**
 * Reads the configuration from an environment; bad values are all printed at once, and the result is undefined.
 *
 * @example
 * const config = readConfiguration(process.env)
 */
export function readConfiguration(env: Env): Config | undefined {
  // Also where all else is right: what was meant has its default then, and nothing says so.
  for (const { name, meant } of findMisspelt(env)) {
    process.stderr.write(`${name} is set, and nothing reads it. Did you mean ${meant}?\n`)
  }
  const loaded = loadConfig(env, {
    isTerminal: process.stdout.isTTY === true,
    readFile: (path) => readFileSync(path, 'utf8'),
    cores: availableCores,
  })
  if (loaded.ok) return loaded.config
  process.stderr.write(renderConfigProblems(loaded.problems))
  return undefined
}

/**
 * Reads the configuration from an environment and the file that a flag, the environment or the working folder names; what
 * is wrong with either is printed, and the result is undefined.
 *
 * @example
 * const configuration = await readWholeConfiguration(process.env, flags.config)
 */
export async function readWholeConfiguration(env: Env, flag: string | undefined): Promise<Configuration | undefined> {
  const config = readConfiguration(env)
  if (config === undefined) return undefined
  const path = findConfigFile(flag, config.file)
  const base = config.settings
  if (path === undefined) return { config, file: undefined, base }
  const read = await readConfigFile(path, env, base)
  if (read.ok) {
    return { config: { ...config, settings: read.settings }, file: { path, filesRead: read.filesRead }, base }
  }
  process.stderr.write(read.text)
  return undefined
}
