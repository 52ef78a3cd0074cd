import { describe, expect, test } from 'bun:test'
import { RETRY_DEFAULTS } from '../../../src/config/sections/retry.ts'
import type { UpstreamSettings } from '../../../src/config/sections/upstreams/upstream.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { opened } from '../../helpers/secrets.ts'
import { EXAMPLE, EXAMPLE_ENV } from './example.ts'
import { BASE, load, loadGood, variable } from './load-file.ts'

const NO_TIMEOUTS = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }
const UPSTREAM = 'upstreams: { a: { base_url: "http://a/v1" }, b: { base_url: "http://b/v1" } }\n'

function upstreamOf(text: string): UpstreamSettings | undefined {
  return loadGood(text, EXAMPLE_ENV).upstreams[0]
}

describe('a file that says everything', () => {
  const settings = loadGood(EXAMPLE, EXAMPLE_ENV)
  const [openai, azure, local] = settings.upstreams
  const [smart, gpt, groq] = settings.models

  const PLACES: readonly [key: string, found: unknown, value: unknown][] = [
    ['hasFile', settings.hasFile, true],
    ['debug_headers', settings.debugHeaders, false],
    ['client_deadline', settings.clientDeadline, false],
    ['default_upstream', settings.defaultUpstream, 'azure'],
    ['unknown_models', settings.unknownModels, 'refuse'],
    ['report_model', groq?.reportModel, 'alias'],
    ['all_open', settings.resilience.allOpen, 'refuse'],
    ['hedge', settings.resilience.hedge, { percentile: 90, minMs: 50, budgetPercent: 1.5 }],
    [
      'pins',
      settings.pins,
      { files: { upstream: 'openai', keyIndex: undefined }, batches: { upstream: 'azure', keyIndex: undefined } },
    ],
    ['upstreams', settings.upstreams.map(({ name }) => name), ['openai', 'azure', 'local']],
    ['models', settings.models.map(({ name }) => name), ['smart', 'gpt-*', 'groq/*']],
    ['preset', openai?.baseUrl, 'https://api.openai.com/v1'],
    ['api_key', openai?.keys, ['sk-openai']],
    ['auth of a key', openai?.auth, 'server'],
    ['key_header of a preset', openai?.keyHeader, 'authorization'],
    ['timeouts of the top level', openai?.timeouts, { firstByteMs: 60_000, streamIdleMs: 1500, totalMs: 0 }],
    [
      'breaker',
      openai?.breaker,
      { failures: 3, rate: 0.25, minimum: 10, windowMs: 10_000, openMs: 5_000, openMaxMs: 60_000 },
    ],
    ['base_url', azure?.baseUrl, 'https://my.openai.azure.com/openai'],
    ['api_keys', azure?.keys, ['key-a', 'key-b']],
    ['auth', azure?.auth, 'server'],
    ['key_header', azure?.keyHeader, 'x-key'],
    [
      'headers, organization, project',
      azure?.headers,
      [
        ['x-team', 'red'],
        ['openai-organization', 'org-1'],
        ['openai-project', 'proj_1'],
      ],
    ],
    [
      'query',
      azure?.query,
      [
        ['api-version', '2025-01-01'],
        ['extra', '1'],
      ],
    ],
    ['path', azure?.modelPath, '/d/{model}{path}'],
    ['timeouts of an upstream', azure?.timeouts, { firstByteMs: 30_000, streamIdleMs: 1500, totalMs: 0 }],
    ['tls_ca', azure?.tlsCa, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
    ['proxy', azure?.proxy, 'http://proxy:3128'],
    ['concurrency', azure?.concurrency, { max: 4, queue: 16, queueMs: 2_000 }],
    ['concurrency by default', local?.concurrency, { max: 1, queue: 0, queueMs: 10_000 }],
    ['breaker of an upstream', azure?.breaker.failures, 9],
    ['breaker of the top level beside it', azure?.breaker.rate, 0.25],
    ['check', azure?.check, { targets: ['/health', '/openai/health'], everyMs: 10_000, timeoutMs: 1_000 }],
    ['check by default', local?.check, { targets: ['/v1/models'], everyMs: 30_000, timeoutMs: 5_000 }],
    ['api_key_file', local?.keys, ['sk-a', 'sk-b']],
    ['auth: caller', local?.auth, 'caller'],
    ['proxy: none', local?.proxy, 'none'],
    ['breaker: false', [local?.breaker.failures, local?.breaker.rate], [0, 0]],
    [
      'targets',
      smart?.targets,
      [
        { upstream: 'openai', model: 'gpt-4o', weight: 3, order: 0 },
        { upstream: 'azure', model: 'my-deployment', weight: 1, order: 2 },
      ],
    ],
    ['strategy', smart?.strategy, 'affinity'],
    ['report_model of a model', smart?.reportModel, 'upstream'],
    ['retry of a model', smart?.resilience.retry, { ...settings.resilience.retry, attempts: 2 }],
    ['hedge of a model', smart?.resilience.hedge, { percentile: 50, minMs: 50, budgetPercent: 1.5 }],
    ['hedge: false', gpt?.resilience.hedge, undefined],
    ['timeouts of a model', smart?.resilience.timeouts, { ...NO_TIMEOUTS, totalMs: 120_000 }],
    ['all_open of a model', smart?.resilience.allOpen, 'try'],
    ['all_open of the top level', gpt?.resilience.allOpen, 'refuse'],
    ['strategy without weights', gpt?.strategy, 'order'],
    ['strategy with a weight', groq?.strategy, 'weighted'],
    ['model with *', groq?.targets[0]?.model, '*'],
    ['model left out', groq?.targets[1]?.model, undefined],
  ]

  test.each(PLACES)('has its place for %s', (_key, found, value) => {
    expect(opened(found)).toEqual(value)
  })

  test('has its place for retry, where 5xx is all server errors, each cause once', () => {
    const { on, ...others } = settings.resilience.retry
    expect(others).toEqual({ attempts: 4, baseMs: 100, maxMs: 4_000, retryAfterMaxMs: 5_000, budgetPercent: 20 })
    expect(on).toHaveLength(102)
    expect(new Set(on)).toEqual(new Set(['connect', 429, ...Array.from({ length: 100 }, (_, index) => 500 + index)]))
  })

  test('has its place for the rules', () => {
    expect(settings.params).toEqual([
      {
        number: 1,
        match: {
          model: ['smart'],
          endpoint: ['chat/completions', 'audio/*'],
          principal: ['token'],
          header: { 'x-team': 'red*' },
        },
        defaults: { temperature: 0.7, stop: null, metadata: { tags: ['a', 1, true] } },
        overrides: { user: 'shared' },
        clamp: { max_tokens: { min: undefined, max: 1500 }, temperature: { min: 0, max: 1 } },
        drop: ['logit_bias'],
        rename: { max_tokens: 'max_completion_tokens' },
        require: ['user'],
        deny: ['seed'],
        allow: ['model', 'messages', 'temperature'],
        values: { 'response_format.type': ['text', 'json_object'], model: ['smart'] },
        onViolation: 'drop',
      },
      {
        number: 2,
        match: { model: undefined, endpoint: undefined, principal: undefined, header: undefined },
        defaults: {},
        overrides: {},
        clamp: {},
        drop: ['store'],
        rename: {},
        require: [],
        deny: [],
        allow: undefined,
        values: {},
        onViolation: 'refuse',
      },
    ])
  })

  test('is frozen to its depth', () => {
    expect(Object.isFrozen(settings.params[0]?.defaults['metadata'])).toBe(true)
    expect(Object.isFrozen(settings.upstreams[1]?.query[0])).toBe(true)
  })

  test('names the files that were read for it', () => {
    const loaded = load(EXAMPLE.replace(variable('OPENAI_API_KEY'), variable('MOUNTED')), {
      ...EXAMPLE_ENV,
      MOUNTED_FILE: '/run/key',
    })
    expect(loaded.ok ? loaded.filesRead : loaded).toEqual(['/run/key', '/etc/ca.pem', '/etc/keys'])
    expect(opened(loaded.ok && loaded.settings.upstreams[0]?.keys)).toEqual(['sk-mounted'])
  })
})

describe('a file that says nothing', () => {
  const DEFAULTS: Partial<Settings> = {
    hasFile: true,
    upstreams: BASE.upstreams,
    defaultUpstream: 'api.openai.com',
    models: [],
    unknownModels: 'pass',
    params: [],
    pins: {},
    debugHeaders: true,
    clientDeadline: true,
    resilience: { retry: RETRY_DEFAULTS, hedge: undefined, timeouts: NO_TIMEOUTS, allOpen: 'try' },
  }

  test.each(['', '# only a comment\n', '{}', '---\n'])("comes to the environment's upstream: %j", (text) => {
    expect(loadGood(text)).toMatchObject(DEFAULTS)
  })

  test('of upstreams keeps those of the environment, with its own time limits', () => {
    const [upstream, ...others] = loadGood('timeouts: { total: 5s }').upstreams
    expect(others).toEqual([])
    expect(upstream).toEqual({ ...BASE.upstreams[0], timeouts: { ...NO_TIMEOUTS, totalMs: 5_000 } } as UpstreamSettings)
    expect(loadGood('breaker: { failures: 2 }').upstreams[0]?.breaker.failures).toBe(2)
    expect(loadGood('breaker: {}').upstreams[0]?.breaker.failures).toBe(5)
  })

  test('of upstreams can name those of the environment', () => {
    const text = 'default_upstream: api.openai.com\nmodels: { m: { targets: [{ upstream: api.openai.com }] } }'
    expect(loadGood(text).models[0]?.targets[0]?.upstream).toBe('api.openai.com')
  })

  test('of the default takes the first upstream', () => {
    expect(loadGood(UPSTREAM).defaultUpstream).toBe('a')
  })
})

describe('an upstream', () => {
  test('of a preset has its key header, path and query', () => {
    const upstream = upstreamOf('upstreams: { z: { preset: azure, base_url: "https://z/openai", api_key: k } }')
    expect(opened(upstream)).toMatchObject({
      keyHeader: 'api-key',
      modelPath: '/deployments/{model}{path}',
      query: [['api-version', '2024-10-21']],
      auth: 'server',
    })
  })

  test('without a key has none, where the preset asks for none', () => {
    expect(upstreamOf('upstreams: { z: { preset: ollama } }')).toMatchObject({ auth: 'none', keys: [] })
    expect(upstreamOf('upstreams: { z: { base_url: "http://z" } }')).toMatchObject({ auth: 'none', keys: [] })
    expect(upstreamOf('upstreams: { z: { preset: openai, auth: caller } }')).toMatchObject({ auth: 'caller', keys: [] })
  })

  test('without a word about them has no limits but the usual breaker', () => {
    expect(upstreamOf(UPSTREAM)).toEqual({
      name: 'a',
      baseUrl: 'http://a/v1',
      vendor: undefined,
      provider: undefined,
      auth: 'none',
      keys: [],
      keyNames: [],
      keyHeader: 'authorization',
      anthropicKeyHeader: 'authorization',
      headers: [],
      query: [],
      modelPath: undefined,
      timeouts: NO_TIMEOUTS,
      tlsCa: undefined,
      proxy: undefined,
      concurrency: undefined,
      breaker: { failures: 5, rate: 0.5, minimum: 20, windowMs: 30_000, openMs: 30_000, openMaxMs: 300_000 },
      check: undefined,
      lacks: undefined,
      servesAnyModel: false,
      capWords: undefined,
      streamUsage: 'unknown',
    })
  })

  test('may set the header authorization itself where it has no key', () => {
    const upstream = upstreamOf('upstreams: { z: { base_url: "http://z", headers: { Authorization: "Basic eA==" } } }')
    expect(opened(upstream?.headers)).toEqual([['authorization', 'Basic eA==']])
  })

  test('has a breaker again where only the top level has none', () => {
    const text =
      'breaker: false\nupstreams: { a: { base_url: "http://a" }, b: { base_url: "http://b", breaker: { failures: 2 } } }'
    expect(loadGood(text).upstreams.map(({ breaker }) => [breaker.failures, breaker.rate])).toEqual([
      [0, 0],
      [2, 0],
    ])
  })
})

describe('the order of targets', () => {
  test.each([
    ['order', [{}, {}], [0, 1]],
    ['order', [{}, { order: 5 }], [0, 5]],
    ['round_robin', [{}, {}], [0, 0]],
    ['least_busy', [{}, { order: 1 }], [0, 1]],
  ])('with the strategy %s and %j is %j', (strategy, extras, orders) => {
    const targets = extras.map((extra) => ({ upstream: 'a', ...extra }))
    const text = `${UPSTREAM}models: ${JSON.stringify({ m: { targets, strategy } })}`
    expect(loadGood(text).models[0]?.targets.map(({ order }) => order)).toEqual(orders)
  })
})

describe('hedging', () => {
  test('is completed with the usual values', () => {
    expect(loadGood('hedge: {}').resilience.hedge).toEqual({ percentile: 95, minMs: 100, budgetPercent: 5 })
    const text = `${UPSTREAM}models: { m: { targets: [{ upstream: a }], hedge: { min: 1 } } }`
    expect(loadGood(text).models[0]?.resilience.hedge).toEqual({ percentile: 95, minMs: 1, budgetPercent: 5 })
    expect(loadGood('hedge: false').resilience.hedge).toBeUndefined()
  })
})

test('JSON is read as well, with tabs, a mark at the beginning, and variables', () => {
  const file = { upstreams: { a: { base_url: 'http://a', api_key: variable('K') } }, params: [{ drop: ['x'] }] }
  const text = `\uFEFF${JSON.stringify(file, null, '\t')}`
  expect(opened(loadGood(text, { K: 'sk-1' }))).toMatchObject({
    upstreams: [{ keys: ['sk-1'] }],
    params: [{ drop: ['x'] }],
  })
})

test('anchors and aliases are read', () => {
  const text = `retry: &r { attempts: 2 }
upstreams: { a: { base_url: "http://a" } }
models:
  x: { targets: &t [{ upstream: a }], retry: *r }
  y: { targets: *t }
`
  const { models } = loadGood(text)
  expect(models[0]?.resilience.retry.attempts).toBe(2)
  expect(models[1]?.targets).toEqual(models[0]?.targets ?? [])
})

test('a name of Object.prototype is a name like any other', () => {
  const text = 'params: [{ defaults: { __proto__: 1, constructor: 2 }, drop: [toString] }]'
  expect(Object.entries(loadGood(text).params[0]?.defaults ?? {})).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
  ])
})
