import { isLoopbackHost } from './address-kinds.ts'
import { type AnsweringSettings, CACHE_DEFAULTS, EXTENSION_DEFAULTS } from './answering-defaults.ts'
import { tokenFile } from './api-tokens.ts'
import type { Config } from './config.ts'
import { ENV, ENV_ROWS } from './env.ts'
import { type ConfigProblem, createEnvReader, type Env, type EnvReader } from './env-reader.ts'
import { freeze } from './freeze.ts'
import type { Fault } from './kind.ts'
import { MIB, resolveWorkers } from './scalar-kinds.ts'
import { Secret } from './secret.ts'
import { settingsFromEnv } from './settings-from-env.ts'

/** What the configuration depends on besides the environment. */
export interface LoadOptions {
  /** Whether a person reads the log as it is written. */
  readonly isTerminal: boolean
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: (path: string) => string
  /** How many cores there are for us, for `WORKERS=auto`; one where absent. */
  readonly cores?: () => number
  /** How much memory there is for us, in bytes, for `MAX_MEMORY_BYTES`; 1 GiB where absent. */
  readonly memoryBytes?: () => number
}

/** The configuration, or everything that is wrong with it. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/** Short enough to be typed, long enough not to be guessed. */
const TOKEN_LENGTH_MIN = 16

/** On a smaller machine half would be too little for one large body. */
const MEMORY_BYTES_MIN = 128 * MIB

const TOKEN_CURE = 'Make one with: openssl rand -hex 32'

/**
 * Reads the configuration from an environment: checked and deeply frozen, or all problems at once.
 *
 * @example
 * const readFile = (path: string): string => readFileSync(path, 'utf8')
 * const loaded = loadConfig(process.env, { isTerminal: process.stdout.isTTY === true, readFile })
 */
export function loadConfig(env: Env, options: LoadOptions): LoadedConfig {
  const reader = createEnvReader(env, options.readFile)
  const { take } = reader
  const host = take(ENV.HOST)
  const upstream = {
    baseUrl: takeBaseUrl(reader),
    apiKey: reader.takeSecret(ENV.OPENAI_API_KEY, ENV.OPENAI_API_KEY_FILE),
    organization: take(ENV.OPENAI_ORG_ID),
    project: take(ENV.OPENAI_PROJECT_ID),
  }
  const debugHeaders = take(ENV.DEBUG_HEADERS)
  const config: Config = {
    upstream,
    defaultModel: take(ENV.OPENAI_MODEL),
    server: {
      host,
      port: take(ENV.PORT),
      isLoopback: isLoopbackHost(host),
      tls: takeTls(reader),
      corsOrigins: take(ENV.CORS_ORIGINS),
    },
    auth: takeAuth(reader),
    log: {
      level: take(ENV.LOG_LEVEL),
      format: take(ENV.LOG_FORMAT) ?? (options.isTerminal ? 'pretty' : 'json'),
    },
    timeouts: {
      firstByteMs: take(ENV.FIRST_BYTE_TIMEOUT_MS),
      streamIdleMs: take(ENV.STREAM_IDLE_TIMEOUT_MS),
      uploadIdleMs: take(ENV.UPLOAD_IDLE_TIMEOUT_MS),
      writeIdleMs: take(ENV.WRITE_IDLE_TIMEOUT_MS),
      totalMs: take(ENV.TOTAL_TIMEOUT_MS),
      drainMs: take(ENV.DRAIN_TIMEOUT_MS),
    },
    limits: {
      jsonBytesMax: take(ENV.MAX_JSON_BYTES),
      uploadBytesMax: take(ENV.MAX_UPLOAD_BYTES),
      inFlightMax: take(ENV.MAX_IN_FLIGHT),
      callerSharePercent: take(ENV.MAX_CALLER_SHARE),
      connectionsMax: take(ENV.MAX_CONNECTIONS),
      uploadBytesPerSecondMin: take(ENV.UPLOAD_MIN_RATE),
      memoryBytesMax: take(ENV.MAX_MEMORY_BYTES) ?? defaultMemory(options.memoryBytes),
      failedRepeatsMax: take(ENV.MAX_FAILED_REPEATS),
    },
    workers: resolveWorkers(take(ENV.WORKERS), options.cores),
    ssePingMs: take(ENV.SSE_PING_MS),
    debugHeaders,
    file: take(ENV.NEXCODE_CONFIG),
    settings: settingsFromEnv({ upstream, debugHeaders, ...takeAnswering(reader) }),
  }
  if (reader.problems.length === 0) return { ok: true, config: freeze(config) }
  const order = ENV_ROWS.map((row) => row.name)
  return { ok: false, problems: reader.problems.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)) }
}

/** Half of what there is, and as much as the largest body needs at the least. */
function defaultMemory(memoryBytes: () => number = () => 1024 * MIB): number {
  return Math.max(MEMORY_BYTES_MIN, Math.floor(memoryBytes() / 2))
}

/** What is done with requests and answers on the way. */
function takeAnswering({ take }: EnvReader): AnsweringSettings {
  return {
    cache: {
      ...CACHE_DEFAULTS,
      store: take(ENV.CACHE),
      bytesMax: take(ENV.CACHE_MAX_BYTES),
      entriesMax: take(ENV.CACHE_MAX_ENTRIES),
      ttlMs: take(ENV.CACHE_TTL),
      requests: take(ENV.CACHE_SCOPE_REQUESTS),
    },
    extensions: take(ENV.EXTENSIONS).map((path) => ({ ...EXTENSION_DEFAULTS, path })),
    idempotencyMs: take(ENV.IDEMPOTENCY_WINDOW_MS),
    onDisconnect: take(ENV.ON_CLIENT_DISCONNECT),
  }
}

function takeBaseUrl({ has, take }: EnvReader): string {
  const fallback = has(ENV.OPENAI_API_BASE) ? undefined : take(ENV.OPENAI_BASE_URL)
  return fallback ?? take(ENV.OPENAI_API_BASE)
}

function takeAuth(reader: EnvReader): Config['auth'] {
  const required = reader.take(ENV.REQUIRE_AUTH)
  const tokens = reader.takeSecret(ENV.API_TOKEN, ENV.API_TOKEN_FILE, tokenFile)
  const isFile = reader.has(ENV.API_TOKEN_FILE)
  const source = isFile ? ENV.API_TOKEN_FILE : ENV.API_TOKEN
  // A token that could not be read has been reported; that there is none would be the same thing again.
  const isReported = reader.problems.some(({ name }) => name === source.name)
  if (required && !isReported) {
    const short = tokens.findIndex(({ secret }) => secret.reveal().length < TOKEN_LENGTH_MIN)
    if (tokens.length === 0) {
      const none: Fault = isFile
        ? { wrong: 'names a file without a token, though REQUIRE_AUTH is true', cure: tokenFile.emptyCure }
        : { wrong: 'is missing, though REQUIRE_AUTH is true', cure: TOKEN_CURE }
      reader.report(source, none)
    } else if (short !== -1) {
      const which = tokens.length === 1 ? 'a token' : `a token (number ${short + 1} of ${tokens.length})`
      reader.report(source, { wrong: `has ${which} of fewer than ${TOKEN_LENGTH_MIN} characters`, cure: TOKEN_CURE })
    }
  }
  return { required, tokens, lendsToLocal: reader.take(ENV.LOCAL_CALLERS) }
}

function takeTls(reader: EnvReader): Config['server']['tls'] {
  const { TLS_CERT_FILE: certRow, TLS_KEY_FILE: keyRow } = ENV
  for (const [row, other] of [
    [certRow, keyRow],
    [keyRow, certRow],
  ] as const) {
    if (reader.has(row) && !reader.has(other)) {
      reader.report(other, {
        wrong: `is not set, but ${row.name} is`,
        cure: 'Set both for HTTPS, or neither for HTTP.',
      })
    }
  }
  const cert = reader.takeFile(certRow)
  const key = reader.takeFile(keyRow)
  if (cert !== undefined && !/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(cert)) {
    reader.report(certRow, {
      wrong: 'names a file without a PEM certificate',
      cure: 'Name the chain: -----BEGIN CERTIFICATE-----',
    })
  }
  if (key !== undefined && !/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(key)) {
    reader.report(keyRow, {
      wrong: 'names a file without a PEM private key',
      cure: 'Name the key: -----BEGIN PRIVATE KEY-----',
    })
  } else if (key !== undefined && /ENCRYPTED/.test(key)) {
    reader.report(keyRow, {
      wrong: 'names a private key with a passphrase',
      cure: 'Take the passphrase off: openssl pkey -in with.key -out without.key',
    })
  }
  return cert === undefined || key === undefined ? undefined : { cert, key: new Secret(key) }
}
