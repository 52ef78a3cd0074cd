import { type EnvReader, row } from '../env-reader.ts'
import { boolean } from '../scalar-kinds.ts'
import { path } from '../text-kinds.ts'
import { LEDGER_ENV } from './ledger.ts'
import { type ApiToken, tokenFile, tokenList } from './token-list.ts'

/** The settings of access: which callers are let in. */
export interface AuthSettings {
  readonly required: boolean
  readonly tokens: readonly ApiToken[]
  /** Whether a program of this machine may spend the server's key, where only this machine can reach `host`. */
  readonly lendsToLocal: boolean
}

/** The variables of access. */
export const TOKENS_ENV = {
  REQUIRE_AUTH: row({
    name: 'REQUIRE_AUTH',
    kind: boolean,
    default: false,
    doc: 'Whether callers must present an API_TOKEN, or a key of the LEDGER.',
    example: 'true',
  }),
  API_TOKEN: row({
    name: 'API_TOKEN',
    kind: tokenList,
    default: [],
    doc: 'Tokens that callers may present, as NAME:TOKEN, by comma; at least 16 characters each.',
    example: '"alice:$(openssl rand -hex 32)"',
  }),
  API_TOKEN_FILE: row({
    name: 'API_TOKEN_FILE',
    kind: path,
    default: undefined,
    doc: 'File that holds API_TOKEN, one NAME TOKEN on each line; read again when it changes.',
    example: '/run/secrets/api_token',
  }),
  LOCAL_CALLERS: row({
    name: 'LOCAL_CALLERS',
    kind: boolean,
    default: true,
    doc: "Whether programs on this machine spend the server's key without a token, where HOST is loopback. off behind a proxy.",
    example: 'off',
  }),
} as const

/** Short enough to be typed, long enough not to be guessed. */
const TOKEN_LENGTH_MIN = 16

/** How to make a token. */
export const TOKEN_CURE = 'Make one with: openssl rand -hex 32'

/** Reads the settings of access. Reports tokens that are missing or too short where they are required. */
export function authFromEnv(reader: EnvReader): AuthSettings {
  const required = reader.take(TOKENS_ENV.REQUIRE_AUTH)
  const tokens = reader.takeSecret(TOKENS_ENV.API_TOKEN, TOKENS_ENV.API_TOKEN_FILE, tokenFile)
  const isFile = reader.has(TOKENS_ENV.API_TOKEN_FILE)
  const source = isFile ? TOKENS_ENV.API_TOKEN_FILE : TOKENS_ENV.API_TOKEN
  // A token that could not be read has been reported; a missing token would be the same problem again.
  const isReported = reader.problems.some(({ name }) => name === source.name)
  if (required && !isReported) {
    const short = tokens.findIndex(({ token }) => token.reveal().length < TOKEN_LENGTH_MIN)
    // Where no token is named, the file may have a ledger, whose keys let callers in (`check-whole.ts`).
    if (tokens.length === 0 && isFile && !reader.has(LEDGER_ENV.LEDGER)) {
      reader.report(source, {
        wrong: 'names a file without a token, though REQUIRE_AUTH is true',
        cure: tokenFile.emptyCure,
      })
    } else if (short !== -1) {
      const which = tokens.length === 1 ? 'a token' : `a token (number ${short + 1} of ${tokens.length})`
      reader.report(source, { wrong: `has ${which} of fewer than ${TOKEN_LENGTH_MIN} characters`, cure: TOKEN_CURE })
    }
  }
  return { required, tokens, lendsToLocal: reader.take(TOKENS_ENV.LOCAL_CALLERS) }
}
