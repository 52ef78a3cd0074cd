import { baseUrl, listenHost } from './address-kinds.ts'
import { ANSWERING_ENV } from './answering-env.ts'
import { tokenList } from './api-tokens.ts'
import { LOG_FORMATS, LOG_LEVELS } from './config.ts'
import { type EnvRow, row } from './env-row.ts'
import { LIMITS_ENV } from './limits-env.ts'
import { boolean, choice, duration, integer, workerCount } from './scalar-kinds.ts'
import { headerValue, originList, path, secret, word } from './text-kinds.ts'
import { OPENAI_DEFAULT_MODEL } from './vendor.ts'

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
  OPENAI_API_BASE: row({
    name: 'OPENAI_API_BASE',
    kind: baseUrl,
    default: 'https://api.openai.com/v1',
    doc: 'Base URL of the upstream, up to and including /v1.',
    example: 'https://api.openai.com/v1',
  }),
  OPENAI_BASE_URL: row({
    name: 'OPENAI_BASE_URL',
    kind: baseUrl,
    default: undefined,
    doc: "The OpenAI SDKs' name for the same; read where OPENAI_API_BASE is absent.",
    example: 'http://127.0.0.1:11434/v1',
  }),
  OPENAI_API_KEY: row({
    name: 'OPENAI_API_KEY',
    kind: secret,
    default: undefined,
    doc: "The server's own upstream key.",
    example: 'sk-...',
  }),
  OPENAI_API_KEY_FILE: row({
    name: 'OPENAI_API_KEY_FILE',
    kind: path,
    default: undefined,
    doc: 'File that holds OPENAI_API_KEY, such as a container secret.',
    example: '/run/secrets/openai_api_key',
  }),
  OPENAI_ORG_ID: row({
    name: 'OPENAI_ORG_ID',
    kind: headerValue,
    default: undefined,
    doc: "OpenAI-Organization header, sent with the server's key.",
    example: 'org-123',
  }),
  OPENAI_PROJECT_ID: row({
    name: 'OPENAI_PROJECT_ID',
    kind: headerValue,
    default: undefined,
    doc: "OpenAI-Project header, sent with the server's key.",
    example: 'proj_123',
  }),
  OPENAI_MODEL: row({
    name: 'OPENAI_MODEL',
    kind: word,
    default: undefined,
    defaultNote: `${OPENAI_DEFAULT_MODEL} for OpenAI itself, none for others`,
    doc: 'Model put in where a chat or text completion names none.',
    example: 'gpt-4o-mini',
  }),
  HOST: row({
    name: 'HOST',
    kind: listenHost,
    default: '0.0.0.0',
    doc: 'Address to listen on; 127.0.0.1 for this machine only.',
    example: '127.0.0.1',
  }),
  PORT: row({
    name: 'PORT',
    kind: integer(0, 65_535),
    default: 8000,
    doc: 'Port to listen on; 0 for any free one.',
    example: '8000',
  }),
  TLS_CERT_FILE: row({
    name: 'TLS_CERT_FILE',
    kind: path,
    default: undefined,
    doc: 'Certificate chain (PEM) to serve HTTPS with; needs TLS_KEY_FILE.',
    example: '/etc/nexcode/tls.crt',
  }),
  TLS_KEY_FILE: row({
    name: 'TLS_KEY_FILE',
    kind: path,
    default: undefined,
    doc: 'Private key (PEM, without a passphrase) of TLS_CERT_FILE.',
    example: '/etc/nexcode/tls.key',
  }),
  REQUIRE_AUTH: row({
    name: 'REQUIRE_AUTH',
    kind: boolean,
    default: false,
    doc: 'Whether callers must present an API_TOKEN.',
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
  CORS_ORIGINS: row({
    name: 'CORS_ORIGINS',
    kind: originList,
    default: [],
    doc: 'Web origins whose pages may call, by comma; * for all.',
    example: 'https://chat.example.com,http://localhost:3000',
  }),
  LOG_LEVEL: row({
    name: 'LOG_LEVEL',
    kind: choice(LOG_LEVELS),
    default: 'info',
    doc: `Least level that is logged: ${LOG_LEVELS.join(', ')}.`,
    example: 'debug',
  }),
  LOG_FORMAT: row({
    name: 'LOG_FORMAT',
    kind: choice(LOG_FORMATS),
    default: undefined,
    defaultNote: 'pretty on a terminal, else json',
    doc: `Form of a log line: ${LOG_FORMATS.join(' or ')}.`,
    example: 'json',
  }),
  FIRST_BYTE_TIMEOUT_MS: timeout('FIRST_BYTE_TIMEOUT_MS', 600_000, "Wait for the upstream's response headers."),
  STREAM_IDLE_TIMEOUT_MS: timeout(
    'STREAM_IDLE_TIMEOUT_MS',
    300_000,
    "Silence in an upstream's answer; a JSON answer of up to 64 KiB has to be whole within it.",
  ),
  UPLOAD_IDLE_TIMEOUT_MS: timeout('UPLOAD_IDLE_TIMEOUT_MS', 30_000, 'Pause of a client within its request body.'),
  UPLOAD_MIN_RATE: row({
    name: 'UPLOAD_MIN_RATE',
    kind: integer(0, 1_000_000_000),
    default: 256,
    unit: 'bytes/s',
    doc: 'Least rate of a request body, over any UPLOAD_IDLE_TIMEOUT_MS in which it is waited for. 0: any.',
    example: '1024',
  }),
  WRITE_IDLE_TIMEOUT_MS: timeout(
    'WRITE_IDLE_TIMEOUT_MS',
    60_000,
    'Pause of a client that takes nothing of its answer.',
  ),
  TOTAL_TIMEOUT_MS: timeout('TOTAL_TIMEOUT_MS', 0, 'Whole exchange, from its first to its last byte.'),
  DRAIN_TIMEOUT_MS: timeout('DRAIN_TIMEOUT_MS', 60_000, 'Time for exchanges in flight to finish after SIGTERM.'),
  ...LIMITS_ENV,
  WORKERS: row({
    name: 'WORKERS',
    kind: workerCount,
    default: 1,
    doc: 'Processes that serve, sharing the port; auto: one for each core.',
    example: 'auto',
  }),
  SSE_PING_MS: row({
    name: 'SSE_PING_MS',
    kind: duration,
    default: 0,
    unit: 'ms',
    doc: 'Silence after which a stream gets a line that clients skip, for load balancers that cut; 0: off.',
    example: '15000',
  }),
  ...ANSWERING_ENV,
  DEBUG_HEADERS: row({
    name: 'DEBUG_HEADERS',
    kind: boolean,
    default: false,
    doc: 'Whether responses carry Server-Timing and x-nexcode-* headers.',
    example: 'true',
  }),
} as const

/** The rows of `ENV`, in order. */
export const ENV_ROWS: readonly EnvRow[] = Object.values(ENV)

function timeout(name: string, defaultMs: number, doc: string): EnvRow<number, number> {
  return { name, kind: duration, default: defaultMs, unit: 'ms', doc: `${doc} 0: no limit.`, example: '120000' }
}
