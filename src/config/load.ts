import type { Config } from './config.ts'
import { ENV, ENV_ROWS } from './env.ts'
import { type ConfigProblem, createEnvReader, type Env } from './env-reader.ts'
import { freeze } from './freeze.ts'
import { adminKeyFromEnv } from './sections/admin-key.ts'
import { cacheFromEnv } from './sections/cache.ts'
import { debugHeadersFromEnv, logFromEnv } from './sections/diagnostics.ts'
import { extensionsFromEnv } from './sections/extensions.ts'
import { idempotencyFromEnv } from './sections/idempotency.ts'
import { ledgerFromEnv } from './sections/ledger.ts'
import { limitsFromEnv } from './sections/limits.ts'
import { serverFromEnv, ssePingFromEnv, workersFromEnv } from './sections/server.ts'
import { timeoutsFromEnv } from './sections/timeouts.ts'
import { authFromEnv } from './sections/tokens.ts'
import { upstreamFromEnv } from './sections/upstreams/env-upstream.ts'
import { settingsFromEnv } from './settings-from-env.ts'

/** The inputs of the configuration besides the environment. */
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

/** The configuration, or all its problems. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/**
 * Reads the configuration from an environment: checked and deeply frozen, or all problems at once.
 *
 * @example
 * const readFile = (path: string): string => readFileSync(path, 'utf8')
 * const loaded = loadConfig(process.env, { isTerminal: process.stdout.isTTY === true, readFile })
 */
export function loadConfig(env: Env, options: LoadOptions): LoadedConfig {
  const reader = createEnvReader(env, options.readFile)
  const upstream = upstreamFromEnv(reader)
  const debugHeaders = debugHeadersFromEnv(reader)
  const config: Config = {
    upstream,
    defaultModel: reader.take(ENV.OPENAI_MODEL),
    server: serverFromEnv(reader),
    auth: authFromEnv(reader),
    adminKey: adminKeyFromEnv(reader),
    log: logFromEnv(reader, options.isTerminal),
    timeouts: timeoutsFromEnv(reader),
    limits: limitsFromEnv(reader, options.memoryBytes),
    workers: workersFromEnv(reader, options.cores),
    ssePingMs: ssePingFromEnv(reader),
    debugHeaders,
    file: reader.take(ENV.NEXCODE_CONFIG),
    settings: settingsFromEnv({
      upstream,
      debugHeaders,
      cache: cacheFromEnv(reader),
      extensions: extensionsFromEnv(reader),
      idempotency: idempotencyFromEnv(reader),
      ledger: ledgerFromEnv(reader),
    }),
  }
  if (reader.problems.length === 0) return { ok: true, config: freeze(config) }
  const order = ENV_ROWS.map((row) => row.name)
  return { ok: false, problems: reader.problems.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)) }
}
