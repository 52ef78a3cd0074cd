import type { Env } from '../../../src/config/env-reader.ts'
import type { FileProblem } from '../../../src/config/file/problems.ts'
import { type LoadedSettings, loadSettings } from '../../../src/config/load-settings.ts'
import { Secret } from '../../../src/config/secret.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { settingsFromEnv } from '../../../src/config/settings-from-env.ts'

/** What the environment alone comes to in these tests. */
export const BASE = settingsFromEnv({
  upstream: {
    baseUrl: 'https://api.openai.com/v1',
    apiKey: new Secret('sk-env'),
    organization: undefined,
    project: undefined,
  },
  debugHeaders: true,
})

/** The files that exist in these tests, beside `/etc/nexcode.yaml`. */
const FILES = new Map([
  ['/etc/ca.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ['/etc/keys', 'sk-a\r\n\n  sk-b\nsk-a\n'],
  ['/etc/bad-keys', 'sk-a\nsk b\n'],
  ['/etc/blank', ' \n'],
  ['/run/key', ' sk-mounted\n'],
])

function readFile(path: string): string {
  const text = FILES.get(path)
  if (text !== undefined) return text
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
}

/** Reads a text as `/etc/nexcode.yaml`. */
export function load(text: string, env: Env = {}, base: Settings = BASE): LoadedSettings {
  return loadSettings({ path: '/etc/nexcode.yaml', text }, { env, readFile, base })
}

/** The settings; throws where there are problems. */
export function loadGood(text: string, env: Env = {}): Settings {
  const loaded = load(text, env)
  if (loaded.ok) return loaded.settings
  throw new Error(JSON.stringify(loaded.problems, null, 2))
}

/** The problems; throws where there are none. */
export function problemsOf(text: string, env: Env = {}): readonly FileProblem[] {
  const loaded = load(text, env)
  if (loaded.ok) throw new Error('The file has no problem')
  return loaded.problems
}

/** Each problem as one line: `3:5 path wrong | cure`. */
export function linesOf(text: string, env: Env = {}): string[] {
  return problemsOf(text, env).map(
    ({ line, column, path, wrong, cure }) => `${line}:${column} ${path} ${wrong} | ${cure}`,
  )
}

/** A variable as a file has it, given its name, with a default or without. */
export function variable(name: string): string {
  return `\${${name}}`
}
