import { expect, test } from 'bun:test'
import { Secret } from '../../../src/config/secret.ts'
import { CACHE_DEFAULTS } from '../../../src/config/sections/cache.ts'
import { LEDGER_DEFAULTS } from '../../../src/config/sections/ledger.ts'
import { NO_RECORDS } from '../../../src/config/sections/projects.ts'
import { settingsFromEnv } from '../../../src/config/settings-from-env.ts'
import { opened } from '../../helpers/secrets.ts'

const NO_TIMEOUTS = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }

test('the environment alone comes to one upstream, to which everything goes once, as it came', () => {
  const upstream = {
    baseUrl: 'http://10.0.0.1:9/v1',
    apiKey: new Secret('sk-1'),
    organization: 'org-1',
    project: 'proj-1',
  }
  expect(opened(settingsFromEnv({ upstream, debugHeaders: true }))).toEqual({
    hasFile: false,
    upstreams: [
      {
        name: '10.0.0.1:9',
        baseUrl: 'http://10.0.0.1:9/v1',
        vendor: undefined,
        provider: undefined,
        auth: 'either',
        keys: ['sk-1'],
        keyNames: ['OPENAI_API_KEY'],
        keyHeader: 'authorization',
        anthropicKeyHeader: 'authorization',
        headers: [
          ['openai-organization', 'org-1'],
          ['openai-project', 'proj-1'],
        ],
        query: [],
        modelPath: undefined,
        timeouts: NO_TIMEOUTS,
        tlsCa: undefined,
        proxy: undefined,
        concurrency: undefined,
        breaker: { failures: 0, rate: 0, minimum: 20, windowMs: 30_000, openMs: 30_000, openMaxMs: 300_000 },
        check: undefined,
        lacks: undefined,
        servesAnyModel: false,
        capWords: undefined,
        streamUsage: 'unknown',
      },
    ],
    defaultUpstream: '10.0.0.1:9',
    models: [],
    unknownModels: 'pass',
    resilience: {
      retry: { attempts: 1, on: [], baseMs: 0, maxMs: 0, retryAfterMaxMs: 0, budgetPercent: 0 },
      hedge: undefined,
      timeouts: NO_TIMEOUTS,
      allOpen: 'try',
    },
    params: [],
    pins: {},
    prices: [],
    debugHeaders: true,
    clientDeadline: false,
    cache: CACHE_DEFAULTS,
    extensions: [],
    idempotency: { windowMs: 600_000, onDisconnect: 'cancel' },
    ledger: LEDGER_DEFAULTS,
    records: NO_RECORDS,
  })
})

test('what the environment does not have is left out', () => {
  const upstream = { baseUrl: 'https://a/v1', apiKey: undefined, organization: undefined, project: undefined }
  const settings = settingsFromEnv({ upstream, debugHeaders: false })
  expect(settings.upstreams[0]).toMatchObject({ name: 'a', keys: [], headers: [] })
  expect(settings.debugHeaders).toBe(false)
  expect(Object.isFrozen(settings.upstreams[0]?.headers)).toBe(true)
})
