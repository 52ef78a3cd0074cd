import { type EnvRow, row } from './env-reader.ts'
import { ADMIN_KEY_ENV } from './sections/admin-key.ts'
import { CACHE_ENV } from './sections/cache.ts'
import { DEBUG_ENV, LOG_ENV } from './sections/diagnostics.ts'
import { EXTENSIONS_ENV } from './sections/extensions.ts'
import { IDEMPOTENCY_ENV } from './sections/idempotency.ts'
import { LEDGER_ENV } from './sections/ledger.ts'
import { LIMITS_ENV } from './sections/limits.ts'
import { CORS_ENV, LISTEN_ENV, SERVING_ENV } from './sections/server.ts'
import { TIMEOUTS_ENV } from './sections/timeouts.ts'
import { TOKENS_ENV } from './sections/tokens.ts'
import { UPSTREAM_ENV } from './sections/upstreams/env-upstream.ts'
import { path } from './text-kinds.ts'

/** Every environment variable that NexCode reads, in the order of the documentation. */
export const ENV = {
  NEXCODE_CONFIG: row({
    name: 'NEXCODE_CONFIG',
    kind: path,
    default: undefined,
    defaultNote: 'nexcode.yaml, .yml or .json here, if any',
    doc: 'Configuration file: upstreams, models, parameter rules. --config PATH wins.',
    example: '/etc/nexcode.yaml',
  }),
  ...UPSTREAM_ENV,
  ...LISTEN_ENV,
  ...TOKENS_ENV,
  ...CORS_ENV,
  ...LOG_ENV,
  ...TIMEOUTS_ENV,
  ...LIMITS_ENV,
  ...SERVING_ENV,
  ...CACHE_ENV,
  ...LEDGER_ENV,
  ...ADMIN_KEY_ENV,
  ...EXTENSIONS_ENV,
  ...IDEMPOTENCY_ENV,
  ...DEBUG_ENV,
} as const

/** The rows of `ENV`, in order. */
export const ENV_ROWS: readonly EnvRow[] = Object.values(ENV)
