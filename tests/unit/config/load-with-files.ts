import type { Config } from '../../../src/config/config.ts'
import type { ConfigProblem, Env } from '../../../src/config/env-reader.ts'
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../../src/config/load.ts'

/** The files that exist in these tests. */
export const FILES = new Map([
  ['/key', 'sk-from-file\n'],
  ['/tokens', 'token-one-0123456\r\ntoken-two-0123456, \n\n'],
  ['/admin-key', 'the-key-that-manages-0123456789ab\n'],
  ['/blank', ' \n'],
  ['/tls.crt', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ['/tls.key', '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'],
  ['/locked.key', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n'],
])

/** Reads from `FILES`, and fails as a file system does: with a code, and the path in the message. */
export function readFile(path: string): string {
  const text = FILES.get(path)
  if (text !== undefined) return text
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
}

export function load(env: Env, options: Partial<LoadOptions> = {}): LoadedConfig {
  return loadConfig(env, { isTerminal: false, readFile, ...options })
}

/** The configuration; throws where there are problems. */
export function loadGood(env: Env, options: Partial<LoadOptions> = {}): Config {
  const loaded = load(env, options)
  if (loaded.ok) return loaded.config
  throw new Error(JSON.stringify(loaded.problems))
}

/** The problems; throws where there are none. */
export function loadProblems(env: Env, options: Partial<LoadOptions> = {}): readonly ConfigProblem[] {
  const loaded = load(env, options)
  if (loaded.ok) throw new Error('The configuration has no problem')
  return loaded.problems
}

/** Each problem as one sentence. */
export function sentences(env: Env, options: Partial<LoadOptions> = {}): string[] {
  return loadProblems(env, options).map(({ name, wrong }) => `${name} ${wrong}`)
}
