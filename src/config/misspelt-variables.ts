import { distance, nearest } from '../formats/text/nearest.ts'
import { ENV_ROWS } from './env.ts'
import type { Env } from './env-reader.ts'

/** The names of all variables. */
export const VARIABLE_NAMES: readonly string[] = ENV_ROWS.map(({ name }) => name)

/**
 * The same names as they are compared. An environment has many words, and measuring how far each is from every name cost 10 ms and
 * 8 MB at start.
 */
const PLAIN_NAMES = VARIABLE_NAMES.map((name) => {
  const plain = plainOf(name)
  return { name, plain, letters: lettersOf(plain) }
})

/** A variable that nothing reads, and the one that was probably meant. */
export interface Misspelt {
  readonly name: string
  readonly meant: string
}

/** Other programs' names for our variables, in upper case with underscores. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['P', 'PORT'],
  ['LISTEN_PORT', 'PORT'],
  ['SERVER_PORT', 'PORT'],
  ...['BIND', 'LISTEN', 'ADDRESS', 'ADDR', 'LISTEN_HOST', 'SERVER_HOST'].map((word) => [word, 'HOST'] as const),
  ...[
    'BASE_URL',
    'API_BASE',
    'UPSTREAM',
    'UPSTREAM_URL',
    'OPENAI_URL',
    'OPENAI_BASE',
    'OPENAI_HOST',
    'OPENAI_ENDPOINT',
  ].map((word) => [word, 'OPENAI_API_BASE'] as const),
  ...['API_KEY', 'OPENAI_KEY', 'OPENAI_TOKEN', 'OPENAI_SECRET_KEY'].map((word) => [word, 'OPENAI_API_KEY'] as const),
  ...['MODEL', 'DEFAULT_MODEL', 'OPENAI_DEFAULT_MODEL'].map((word) => [word, 'OPENAI_MODEL'] as const),
  ...['TOKEN', 'TOKENS', 'AUTH_TOKEN', 'MASTER_KEY', 'SERVER_TOKEN'].map((word) => [word, 'API_TOKEN'] as const),
  ...['AUTH', 'ENABLE_AUTH', 'AUTH_REQUIRED'].map((word) => [word, 'REQUIRE_AUTH'] as const),
  ...['DEBUG', 'VERBOSE', 'QUIET', 'SILENT', 'DETAILED_DEBUG', 'LOGLEVEL'].map((word) => [word, 'LOG_LEVEL'] as const),
  ...['NUM_WORKERS', 'PROCESSES', 'THREADS', 'CLUSTER'].map((word) => [word, 'WORKERS'] as const),
  ...['CERT', 'TLS_CERT', 'SSL_CERT', 'SSL_CERTFILE', 'SSL_CERTFILE_PATH'].map(
    (word) => [word, 'TLS_CERT_FILE'] as const,
  ),
  ...['TLS_KEY', 'SSL_KEY', 'SSL_KEYFILE', 'SSL_KEYFILE_PATH'].map((word) => [word, 'TLS_KEY_FILE'] as const),
  ...['CORS', 'CORS_ORIGIN', 'ALLOWED_ORIGINS', 'ALLOW_ORIGINS'].map((word) => [word, 'CORS_ORIGINS'] as const),
  ...['TIMEOUT', 'REQUEST_TIMEOUT'].map((word) => [word, 'TOTAL_TIMEOUT_MS'] as const),
  ['EXTENSION', 'EXTENSIONS'],
  ['ORGANIZATION', 'OPENAI_ORG_ID'],
  ['OPENAI_ORGANIZATION', 'OPENAI_ORG_ID'],
  ['OPENAI_ORG', 'OPENAI_ORG_ID'],
  ['OPENAI_PROJECT', 'OPENAI_PROJECT_ID'],
])

/** The prefixes of names that are ours. */
const OWN_PREFIX = /^(NEXCODE|OPENAI)_/
/** Variables that a supervisor sets for its workers: they are no settings. */
const NO_SETTINGS: ReadonlySet<string> = new Set(['NEXCODE_WORKER'])
/** A shorter name is too common to be a misspelling of ours for certain. */
const OWN_CHARS_MIN = 8

/** The variable that a word stands for, in any spelling: `port`, `log-level`, `base-url`, `openai_apikey`; undefined: none. */
function findVariable(word: string): string | undefined {
  const name = word.toUpperCase().replaceAll('-', '_')
  const bare = name.replace(/^NEXCODE_/, '')
  const exact = VARIABLE_NAMES.find((one) => one === name || one === bare)
  return exact ?? SYNONYMS.get(bare) ?? closest(bare, 8) ?? closest(name, 8)
}

/**
 * The variable that a person most likely meant by a word. More letters may differ than in `findMisspelt`, which looks at many words
 * that are not for us.
 *
 * @example
 * meantVariable('PROT') // 'PORT'
 */
export function meantVariable(word: string): string | undefined {
  return findVariable(word) ?? nearest(word, VARIABLE_NAMES)
}

/**
 * The variables of an environment that nothing reads, though their names say that they are for this program: ours with a
 * letter wrong, or with a prefix of ours in front; short ones only with two letters in the wrong order.
 *
 * An environment has many variables for other programs: a short name, or one that is only similar to ours, is not reported.
 *
 * @example
 * findMisspelt({ OPENAI_APIKEY: 'sk-…' }) // [{ name: 'OPENAI_APIKEY', meant: 'OPENAI_API_KEY' }]
 */
export function findMisspelt(env: Env): readonly Misspelt[] {
  return Object.keys(env).flatMap((name) => {
    if (VARIABLE_NAMES.includes(name) || NO_SETTINGS.has(name) || (env[name] ?? '') === '') return []
    // One of several keys, which a configuration file names.
    if (VARIABLE_NAMES.some((one) => name.startsWith(`${one}_`))) return []
    const meant = OWN_PREFIX.test(name)
      ? findVariable(name)
      : name.length < OWN_CHARS_MIN
        ? VARIABLE_NAMES.find((one) => isSwapped(name, one))
        : closest(name, 10)
    // Where the variable that was meant is set as well, this one is another program's.
    return meant === undefined || (env[meant] ?? '') !== '' ? [] : [{ name, meant }]
  })
}

/** The variable whose name is nearest to a word, with at most one wrong letter in so many; separators and a plural do not count. */
function closest(word: string, lettersPerFault: number): string | undefined {
  const plain = plainOf(word)
  const letters = lettersOf(plain)
  const ranked = PLAIN_NAMES.flatMap((one) => {
    const faultsMax = Math.floor(one.plain.length / lettersPerFault)
    const isFar = Math.abs(plain.length - one.plain.length) > faultsMax || lacks(letters, one.letters) > faultsMax
    const off = isFar ? Number.POSITIVE_INFINITY : distance(plain, one.plain)
    return off <= faultsMax ? [{ name: one.name, off }] : []
  }).toSorted((one, other) => one.off - other.off)
  return ranked[0]?.name
}

/** How many letters of one word do not occur in the other: as many are wrong at least. */
function lacks(letters: number, others: number): number {
  let count = 0
  for (let left = letters & ~others; left !== 0; left &= left - 1) count += 1
  return count
}

/** The letters that occur in a word, each a bit; several signs may share one. */
function lettersOf(word: string): number {
  let letters = 0
  for (let at = 0; at < word.length; at += 1) letters |= 1 << (word.charCodeAt(at) & 31)
  return letters
}

/** Whether the names differ by two neighbouring letters in the wrong order only. */
function isSwapped(name: string, other: string): boolean {
  if (name.length !== other.length || lettersOf(name) !== lettersOf(other)) return false
  const sorted = (word: string): string => [...word].toSorted().join('')
  return distance(name, other) === 1 && sorted(name) === sorted(other)
}

function plainOf(name: string): string {
  return name.toUpperCase().replaceAll('_', '').replace(/S$/, '')
}
