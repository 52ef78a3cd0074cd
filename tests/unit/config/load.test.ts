import { describe, expect, test } from 'bun:test'
import type { Config } from '../../../src/config/config.ts'
import { ENV, ENV_ROWS } from '../../../src/config/env.ts'
import { settingsFromEnv } from '../../../src/config/settings-from-env.ts'
import { opened } from '../../helpers/secrets.ts'
import { load, loadGood, loadProblems } from './load-with-files.ts'

const DEFAULTS: Config = {
  upstream: {
    baseUrl: 'https://api.openai.com/v1',
    apiKey: undefined,
    organization: undefined,
    project: undefined,
  },
  defaultModel: undefined,
  server: { host: '0.0.0.0', port: 8000, isLoopback: false, tls: undefined, corsOrigins: [] },
  auth: { required: false, tokens: [], lendsToLocal: true },
  adminKey: undefined,
  log: { level: 'info', format: 'json' },
  timeouts: {
    firstByteMs: 600_000,
    streamIdleMs: 300_000,
    uploadIdleMs: 30_000,
    writeIdleMs: 60_000,
    totalMs: 0,
    drainMs: 60_000,
  },
  limits: {
    jsonBytesMax: 67_108_864,
    uploadBytesMax: 1_073_741_824,
    inFlightMax: 4096,
    callerSharePercent: 50,
    connectionsMax: 0,
    uploadBytesPerSecondMin: 256,
    memoryBytesMax: 536_870_912,
    failedRepeatsMax: 12,
  },
  workers: 1,
  ssePingMs: 0,
  debugHeaders: false,
  file: undefined,
  settings: settingsFromEnv({
    upstream: {
      baseUrl: 'https://api.openai.com/v1',
      apiKey: undefined,
      organization: undefined,
      project: undefined,
    },
    debugHeaders: false,
  }),
}

/** Every place a variable can reach, with a value that is not the default. */
const SETTINGS: readonly [name: string, text: string, read: (config: Config) => unknown, value: unknown][] = [
  ['NEXCODE_CONFIG', '/etc/nexcode.yaml', (c) => c.file, '/etc/nexcode.yaml'],
  ['OPENAI_API_BASE', 'http://10.0.0.1:9/v1/', (c) => c.upstream.baseUrl, 'http://10.0.0.1:9/v1'],
  ['OPENAI_BASE_URL', 'http://10.0.0.2/v1//', (c) => c.upstream.baseUrl, 'http://10.0.0.2/v1'],
  ['OPENAI_API_KEY', 'sk-1', (c) => c.upstream.apiKey?.reveal(), 'sk-1'],
  ['OPENAI_API_KEY_FILE', '/key', (c) => c.upstream.apiKey?.reveal(), 'sk-from-file'],
  ['OPENAI_ORG_ID', 'org-1', (c) => c.upstream.organization, 'org-1'],
  ['OPENAI_PROJECT_ID', 'proj-1', (c) => c.upstream.project, 'proj-1'],
  ['OPENAI_MODEL', 'gpt-4o', (c) => c.defaultModel, 'gpt-4o'],
  ['HOST', '127.0.0.1', (c) => c.server.host, '127.0.0.1'],
  ['PORT', '0', (c) => c.server.port, 0],
  ['REQUIRE_AUTH', 'off', (c) => c.auth.required, false],
  ['API_TOKEN', 'a, b ,,a', (c) => c.auth.tokens.map(({ token }) => token.reveal()), ['a', 'b']],
  [
    'API_TOKEN_FILE',
    '/tokens',
    (c) => c.auth.tokens.map(({ token }) => token.reveal()),
    ['token-one-0123456', 'token-two-0123456'],
  ],
  ['CORS_ORIGINS', 'https://A.example, *', (c) => c.server.corsOrigins, ['https://a.example', '*']],
  ['LOG_LEVEL', 'SILENT', (c) => c.log.level, 'silent'],
  ['LOG_FORMAT', 'pretty', (c) => c.log.format, 'pretty'],
  ['FIRST_BYTE_TIMEOUT_MS', '1', (c) => c.timeouts.firstByteMs, 1],
  ['STREAM_IDLE_TIMEOUT_MS', '30s', (c) => c.timeouts.streamIdleMs, 30_000],
  ['UPLOAD_IDLE_TIMEOUT_MS', '5m', (c) => c.timeouts.uploadIdleMs, 300_000],
  ['UPLOAD_MIN_RATE', '0', (c) => c.limits.uploadBytesPerSecondMin, 0],
  ['WRITE_IDLE_TIMEOUT_MS', '250ms', (c) => c.timeouts.writeIdleMs, 250],
  ['TOTAL_TIMEOUT_MS', '2h', (c) => c.timeouts.totalMs, 7_200_000],
  ['DRAIN_TIMEOUT_MS', '0', (c) => c.timeouts.drainMs, 0],
  ['MAX_JSON_BYTES', '512k', (c) => c.limits.jsonBytesMax, 524_288],
  ['MAX_UPLOAD_BYTES', '10MB', (c) => c.limits.uploadBytesMax, 10_000_000],
  ['MAX_IN_FLIGHT', '7', (c) => c.limits.inFlightMax, 7],
  ['MAX_CALLER_SHARE', '100', (c) => c.limits.callerSharePercent, 100],
  ['MAX_CONNECTIONS', '12', (c) => c.limits.connectionsMax, 12],
  ['MAX_MEMORY_BYTES', '2GiB', (c) => c.limits.memoryBytesMax, 2 ** 31],
  ['MAX_FAILED_REPEATS', '0', (c) => c.limits.failedRepeatsMax, 0],
  ['WORKERS', '3', (c) => c.workers, 3],
  ['LOCAL_CALLERS', 'off', (c) => c.auth.lendsToLocal, false],
  ['SSE_PING_MS', '15 s', (c) => c.ssePingMs, 15_000],
  ['CACHE', 'sqlite:/tmp/x.db', (c) => c.settings.cache.store?.reveal(), 'sqlite:/tmp/x.db'],
  ['CACHE_TTL', '5m', (c) => c.settings.cache.ttlMs, 300_000],
  ['CACHE_MAX_BYTES', '1MB', (c) => c.settings.cache.bytesMax, 1_000_000],
  ['CACHE_MAX_ENTRIES', '9', (c) => c.settings.cache.entriesMax, 9],
  ['CACHE_SCOPE_REQUESTS', 'ALL', (c) => c.settings.cache.requests, 'all'],
  ['LEDGER', 'sqlite:/tmp/l.db', (c) => c.settings.ledger.store?.reveal(), 'sqlite:/tmp/l.db'],
  ['LIMITS', 'redis://h:1', (c) => c.settings.ledger.limits?.reveal(), 'redis://h:1'],
  ['ADMIN_KEY', 'a'.repeat(32), (c) => c.adminKey?.reveal(), 'a'.repeat(32)],
  ['ADMIN_KEY_FILE', '/admin-key', (c) => c.adminKey?.reveal(), 'the-key-that-manages-0123456789ab'],
  ['EXTENSIONS', './a.ts, b.ts,', (c) => c.settings.extensions.map(({ path }) => path), ['./a.ts', 'b.ts']],
  ['ON_CLIENT_DISCONNECT', 'Drain', (c) => c.settings.idempotency.onDisconnect, 'drain'],
  ['IDEMPOTENCY_WINDOW_MS', '1m', (c) => c.settings.idempotency.windowMs, 60_000],
  ['DEBUG_HEADERS', 'Yes', (c) => c.debugHeaders, true],
]

describe('loadConfig', () => {
  test('gives every variable its documented default where the environment is empty', () => {
    expect(loadGood({})).toEqual(DEFAULTS)
  })

  test('takes an empty or blank variable for an absent one', () => {
    expect(loadGood(Object.fromEntries(ENV_ROWS.map((row) => [row.name, ' '])))).toEqual(DEFAULTS)
  })

  test('ignores variables that are not its own', () => {
    expect(loadGood({ PORTS: 'x', OPENAI_TIMEOUT: 'x', NEXCODE_PORT: 'tcp://10.0.0.1:80' })).toEqual(DEFAULTS)
  })

  test.each([...SETTINGS])('puts %s=%s in its place', (name, text, read, value) => {
    expect(read(loadGood({ [name]: text }))).toEqual(value)
  })

  test('has a test above for every variable but the pair of TLS files', () => {
    const tested = SETTINGS.map(([name]) => name)
    const rest = ENV_ROWS.map((row) => row.name).filter((name) => !tested.includes(name))
    expect(rest).toEqual(['TLS_CERT_FILE', 'TLS_KEY_FILE'])
  })

  test('drops the spaces around a value, and the carriage return of a file with Windows line ends', () => {
    expect(opened(loadGood({ PORT: ' 9000\r', OPENAI_API_KEY: 'sk-1\r' }))).toMatchObject({
      server: { port: 9000 },
      upstream: { apiKey: 'sk-1' },
    })
  })

  test('writes the log for a person on a terminal, unless it is told otherwise', () => {
    expect(loadGood({}, { isTerminal: true }).log.format).toBe('pretty')
    expect(loadGood({ LOG_FORMAT: 'json' }, { isTerminal: true }).log.format).toBe('json')
  })

  test('freezes the configuration in all its depth', () => {
    const config = loadGood({
      API_TOKEN: 'a,b',
      CORS_ORIGINS: '*',
      TLS_CERT_FILE: '/tls.crt',
      TLS_KEY_FILE: '/tls.key',
    })
    const objects: object[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      objects.push(value)
      for (const part of Object.values(value)) visit(part)
    }
    visit(config)
    expect(objects).toHaveLength(44)
    expect(objects.filter((part) => !Object.isFrozen(part))).toEqual([])
  })

  test('reports every bad value at once, in the order of the documentation', () => {
    const bad = {
      OPENAI_API_BASE: 'ftp://example.com',
      OPENAI_API_KEY: 'two words',
      OPENAI_ORG_ID: 'örg',
      OPENAI_PROJECT_ID: 'p q',
      OPENAI_MODEL: 'gpt 4',
      HOST: 'http://0.0.0.0',
      PORT: '65536',
      TLS_CERT_FILE: '/absent',
      TLS_KEY_FILE: '/tokens',
      REQUIRE_AUTH: 'maybe',
      API_TOKEN: 'a:b\tc',
      CORS_ORIGINS: 'https://a.example/',
      LOG_LEVEL: 'loud',
      LOG_FORMAT: 'xml',
      FIRST_BYTE_TIMEOUT_MS: '-1',
      STREAM_IDLE_TIMEOUT_MS: '1.5s',
      UPLOAD_IDLE_TIMEOUT_MS: '5 days',
      WRITE_IDLE_TIMEOUT_MS: '1e3',
      TOTAL_TIMEOUT_MS: 'none',
      DRAIN_TIMEOUT_MS: '2147483648',
      MAX_JSON_BYTES: '0',
      MAX_UPLOAD_BYTES: '9007199254740992',
      MAX_IN_FLIGHT: '65536',
      WORKERS: 'many',
      SSE_PING_MS: 'on',
      DEBUG_HEADERS: '2',
    }
    const problems = loadProblems(bad)
    const names = Object.keys(bad)
    const inOrder = ENV_ROWS.map((row) => row.name).filter((name) => names.includes(name))
    expect(problems.map((problem) => problem.name)).toEqual(inOrder)
    for (const problem of problems) {
      expect(problem.wrong).not.toBe('')
      expect(problem.cure).not.toBe('')
      expect(problem.example).toStartWith(`${problem.name}=`)
    }
  })

  test('accepts the example of every variable that names no file', () => {
    const files = ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'OPENAI_API_KEY_FILE', 'API_TOKEN_FILE', 'ADMIN_KEY_FILE']
    const rows = ENV_ROWS.filter(
      ({ name }) => !files.includes(name) && name !== ENV.API_TOKEN.name && name !== ENV.ADMIN_KEY.name,
    )
    for (const row of rows)
      expect(load({ API_TOKEN: '0123456789abcdef', [row.name]: row.example })).toMatchObject({ ok: true })
  })
})
