import { checkWhole } from '../config/check-whole.ts'
import type { Config } from '../config/config.ts'
import type { Env } from '../config/env-reader.ts'
import { renderConfigProblems } from '../config/help-text.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { findMisspelt } from '../config/misspelt-variables.ts'
import { findConfigFile, readConfigFile } from './config-file.ts'
import { dotEnvWarning } from './dot-env.ts'
import { createFileReader, type FileReader, type FileStates } from './file-states.ts'
import { availableCores, availableMemory } from './granted-resources.ts'

/** The source of a configuration, from which it can be read again. */
export interface ConfigurationSource {
  readonly env: Env
  /** The path of the configuration file; undefined: the environment alone. */
  readonly file: string | undefined
  /** Whether no upstream is ever called, so that no key is needed. */
  readonly isKeyless: boolean
}

/** A configuration, and the files that it was read from. */
export interface Configuration {
  readonly config: Config
  readonly source: ConfigurationSource
  /** All files that it was read from: those that the environment names, the configuration file, and those that this names. */
  readonly filesRead: FileStates
  /** Their texts, which stay in force where a later text is bad, or a file can't be read again. */
  readonly texts: FileReader['texts']
  /** Whether the configuration file is empty. */
  readonly isEmpty: boolean
  /** Settings that are valid, but most likely not meant, each in one line. */
  readonly warnings: readonly string[]
}

/**
 * Reads the configuration from an environment. Where values are bad, prints all of them and gives undefined.
 *
 * @example
 * const config = readConfiguration(process.env)
 */
export function readConfiguration(env: Env): Config | undefined {
  return readEnvironment(env)?.config
}

/**
 * Loads the configuration of an environment; `readFile` reads the files that it names. Never throws for bad values: they are in the result.
 *
 * @example
 * const loaded = loadEnvironment(process.env, createFileReader().read)
 */
export function loadEnvironment(env: Env, readFile: FileReader['read']): LoadedConfig {
  return loadConfig(env, {
    isTerminal: process.stdout.isTTY === true,
    readFile,
    cores: availableCores,
    memoryBytes: availableMemory,
  })
}

/**
 * Reads the configuration of an environment alone, with its source. Where values are bad, prints all of them and gives undefined.
 *
 * @example
 * const configuration = readEnvironment(process.env)
 */
export function readEnvironment(env: Env): Configuration | undefined {
  // Also when all else is right: the variable that was meant has its default then, and nothing else says so.
  for (const { name, meant } of findMisspelt(env)) {
    process.stderr.write(`${name} is set, and nothing reads it. Did you mean ${meant}?\n`)
  }
  const { read, states, texts } = createFileReader()
  const loaded = loadEnvironment(env, read)
  if (!loaded.ok) return void process.stderr.write(renderConfigProblems(loaded.problems))
  const source = { env, file: undefined, isKeyless: false }
  const warnings = warningsOf(loaded.config, env)
  return { config: loaded.config, source, filesRead: states, texts, isEmpty: false, warnings }
}

/**
 * Reads the configuration from an environment, and from the file that a flag, the environment or the working folder names. Prints the
 * problems of either, and gives undefined then. With `isKeyless`, missing keys are no problem.
 *
 * @example
 * const configuration = await readWholeConfiguration(process.env, flags.config)
 */
export async function readWholeConfiguration(
  env: Env,
  flag: string | undefined,
  isKeyless = false,
): Promise<Configuration | undefined> {
  const base = readEnvironment(env)
  const whole = base === undefined ? undefined : await withFile(base, env, flag, isKeyless)
  if (whole === undefined) return undefined
  const problems = checkWhole(whole.config)
  if (problems.length > 0) return void process.stderr.write(renderConfigProblems(problems))
  return whole
}

/** Adds what the configuration file says, where there is one. */
async function withFile(
  base: Configuration,
  env: Env,
  flag: string | undefined,
  isKeyless: boolean,
): Promise<Configuration | undefined> {
  const { config } = base
  const file = findConfigFile(flag, config.file)
  if (file === undefined) return base
  const read = await readConfigFile(file, env, config, { isKeyless })
  if (!read.ok) return void process.stderr.write(read.text)
  return {
    ...base,
    config: { ...config, settings: read.settings },
    source: { env, file, isKeyless },
    filesRead: new Map([...base.filesRead, ...read.filesRead]),
    texts: new Map([...base.texts, ...read.texts]),
    isEmpty: read.isEmpty,
    warnings: [...base.warnings, ...read.warnings],
  }
}

/**
 * Lists values of an environment that are valid, but most likely not meant.
 *
 * @example
 * const warnings = warningsOf(config, process.env)
 */
export function warningsOf({ auth }: Config, env: Env): readonly string[] {
  const name = (env['API_TOKEN']?.trim() ?? '') === '' ? 'API_TOKEN_FILE' : 'API_TOKEN'
  const isUnused = auth.tokens.length > 0 && !auth.required
  const tokens = `${name} is set, but nobody is asked for a token: REQUIRE_AUTH is not true. Set REQUIRE_AUTH=true to guard this server, or unset ${name}.`
  return [...(isUnused ? [tokens] : []), ...[dotEnvWarning(env)].filter((warning) => warning !== undefined)]
}
