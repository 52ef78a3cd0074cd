import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { renderConfigProblems } from '../config/help-text.ts'
import { loadConfig } from '../config/load.ts'
import { availableCores } from './cores.ts'

/**
 * Reads the configuration from an environment; bad values are all printed at once, and the result is undefined.
 *
 * @example
 * const config = readConfiguration(process.env)
 */
export function readConfiguration(env: Readonly<Record<string, string | undefined>>): Config | undefined {
  const loaded = loadConfig(env, {
    isTerminal: process.stdout.isTTY === true,
    readFile: (path) => readFileSync(path, 'utf8'),
    cores: availableCores,
  })
  if (loaded.ok) return loaded.config
  process.stderr.write(renderConfigProblems(loaded.problems))
  return undefined
}
