import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { importLitellm } from '../../../../src/cli/import/litellm.ts'
import type { Json, JsonObject } from '../../../../src/formats/json/json.ts'

interface Result {
  readonly file: { readonly [key: string]: Json }
  readonly list: ReadonlyMap<string, string>
  readonly unneeded: readonly string[]
}

function translate(text: string): Result {
  const imported = importLitellm(text)
  if ('problem' in imported) throw new Error(imported.problem)
  const list = new Map(imported.untranslated.map(({ path, why }) => [path, why]))
  return { file: parse(imported.yaml) as Result['file'], list, unneeded: imported.unneeded }
}

/** One deployment with these parameters, and what stands beside the list. */
function withParams(params: string, rest = ''): Result {
  return translate(`model_list: [{ model_name: m, litellm_params: { ${params} } }]\n${rest}`)
}

function variable(name: string): string {
  return `\${${name}}`
}

describe('a time limit of LiteLLM’s', () => {
  const upstreams = (wait: string) => ({ openai: { timeouts: { first_byte: wait, stream_idle: wait } } })

  test('is one for each wait, and never for the whole: it becomes first_byte and stream_idle', () => {
    for (const rest of ['router_settings: { timeout: 3 }', 'litellm_settings: { request_timeout: 3 }']) {
      const { file } = withParams('model: openai/a', rest)
      expect(file['timeouts']).toEqual({ first_byte: '3s', stream_idle: '3s' })
    }
    for (const key of ['timeout', 'request_timeout']) {
      const { file, list } = withParams(`model: openai/a, ${key}: 3`)
      expect([file['upstreams'], list.size]).toMatchObject([upstreams('3s'), 0])
    }
  })

  test('of a stream is the longer of its own and the other one, since there is one here for both', () => {
    const shorter = withParams('model: openai/a, timeout: 30, stream_timeout: 5')
    expect(shorter.file['upstreams']).toMatchObject(upstreams('30s'))
    expect(shorter.list.get('model_list[0].litellm_params.stream_timeout')).toContain('longer')
    const longer = withParams('model: openai/a, timeout: 5, stream_timeout: 30')
    expect(longer.file['upstreams']).toMatchObject(upstreams('30s'))
    expect(longer.list.get('model_list[0].litellm_params.timeout')).toContain('longer')
    const alone = withParams('model: openai/a', 'router_settings: { stream_timeout: 5 }')
    expect(alone.file).not.toHaveProperty('timeouts')
    expect(alone.list.get('router_settings.stream_timeout')).toContain('streams only')
  })

  test('of the router is passed over where there is a request_timeout, as in LiteLLM', () => {
    const { file, list } = withParams(
      'model: openai/a',
      'router_settings: { timeout: 3 }\nlitellm_settings: { request_timeout: 9 }',
    )
    expect(file['timeouts']).toEqual({ first_byte: '9s', stream_idle: '9s' })
    expect(list.get('router_settings.timeout')).toContain('goes before it')
  })

  test('of 0 is none', () => {
    const { file, unneeded } = withParams('model: openai/a, timeout: 0', 'router_settings: { timeout: 0 }')
    expect(file).not.toHaveProperty('timeouts')
    expect(unneeded).toEqual(['router_settings.timeout', 'model_list[0].litellm_params.timeout'])
  })
})

describe('a model', () => {
  const targets = ({ file }: Result) => (file['models'] as { m: { targets: Json } }).m.targets

  test('has no endpoint before its name, whoever its provider is', () => {
    for (const written of [
      'openai/responses/gpt-5',
      'responses/gpt-5, custom_llm_provider: openai',
      'azure/responses/gpt-5',
      'responses/gpt-5',
    ]) {
      const result = withParams(`model: ${written}, api_base: "https://a.example/v1"`)
      expect(targets(result)).toMatchObject([{ model: 'gpt-5' }])
      expect(result.list.get('model_list[0].litellm_params.model')).toContain('/v1/responses')
    }
  })

  test('of Azure is the deployment that its api_base names, and the version is the query’s where there is no other', () => {
    const base = 'https://r.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview'
    const result = withParams(`model: azure/gpt-4o, api_base: "${base}"`)
    expect(targets(result)).toMatchObject([{ model: 'mine' }])
    expect(result.list.get('model_list[0].litellm_params.model')).toContain('mine')
    expect(result.file['upstreams']).toMatchObject({
      azure: { base_url: 'https://r.openai.azure.com/openai', query: { 'api-version': '2025-01-01-preview' } },
    })
    const other = withParams(`model: azure/mine, api_base: "${base}", api_version: "2024-10-21"`)
    expect(other.file['upstreams']).toMatchObject({ azure: { query: { 'api-version': '2024-10-21' } } })
  })
})

test('the query of an api_base goes with each URL, and a key in it is a variable', () => {
  const base = 'https://a.example/v1/?tenant=t%201&subscription-key=canary-1234'
  const { file, list } = withParams(`model: openai/a, api_base: "${base}"`)
  expect(file['upstreams']).toMatchObject({
    openai: {
      base_url: 'https://a.example/v1',
      query: { tenant: 't 1', 'subscription-key': variable('OPENAI_PARAMETER_1') },
    },
  })
  expect(list.get('model_list[0].litellm_params.api_base')).toContain('OPENAI_PARAMETER_1')
  expect(JSON.stringify([file, [...list]])).not.toContain('canary')
})

describe('the cache', () => {
  const cacheOf = (settings: string) => withParams('model: openai/a', `litellm_settings: { ${settings} }`)

  test('is in memory or in Redis as it was, for all requests', () => {
    const local = cacheOf('cache: true, cache_params: { type: local, ttl: 600 }')
    expect(local.file['cache']).toEqual({ store: 'memory', ttl: '600s', requests: 'all' })
    expect(local.list.get('litellm_settings.cache')).toContain('cache.scope')
    const address = 'type: redis, host: os.environ/H, port: 6380, password: os.environ/P, ssl: true'
    expect(cacheOf(`cache: true, cache_params: { ${address} }`).file['cache']).toMatchObject({
      store: `rediss://:${variable('P')}@${variable('H')}:6380`,
    })
    const secret = cacheOf('cache: true, cache_params: { host: redis.local, password: canary-1234, db: 2 }')
    expect(secret.file['cache']).toMatchObject({ store: `redis://:${variable('REDIS_PASSWORD_1')}@redis.local:6379/2` })
    expect(JSON.stringify([secret.file, [...secret.list]])).not.toContain('canary')
  })

  test('has its address from the variables that LiteLLM reads where the file has none', () => {
    const { file, list } = cacheOf('cache: true')
    expect(file['cache']).toMatchObject({ store: `redis://${variable('REDIS_HOST')}:${variable('REDIS_PORT:-6379')}` })
    expect(list.get('litellm_settings.cache_params')).toContain('REDIS_HOST')
  })

  test('is left out, and on the list, where it finds similar requests, is asked for by callers, or is elsewhere', () => {
    for (const params of [
      'type: qdrant-semantic, similarity_threshold: 0.8',
      'type: s3',
      'type: redis, mode: default_off',
    ]) {
      const { file, list } = cacheOf(`cache: true, cache_params: { ${params} }`)
      expect(file).not.toHaveProperty('cache')
      expect(list.get('litellm_settings.cache')).toContain('by hand')
    }
    expect(cacheOf('cache_params: { type: local }').list.get('litellm_settings.cache_params')).toContain('off there')
  })
})

/** Keys that LiteLLM 1.108 documents for each section; what their values are matters less than that none is lost. */
const DOCUMENTED = {
  params: [
    ...[
      'api_key',
      'api_base',
      'base_url',
      'api_version',
      'organization',
      'custom_llm_provider',
      'headers',
      'extra_headers',
    ],
    ...[
      'extra_body',
      'timeout',
      'request_timeout',
      'stream_timeout',
      'timeout_by_service_tier',
      'num_retries',
      'max_retries',
    ],
    ...['weight', 'order', 'rpm', 'tpm', 'max_parallel_requests', 'drop_params', 'additional_drop_params', 'tags'],
    ...['allowed_openai_params', 'input_cost_per_token', 'max_budget', 'budget_duration', 'litellm_credential_name'],
    ...['cooldown_time', 'mock_response', 'use_in_pass_through', 'merge_reasoning_content_in_choices', 'region_name'],
    ...['configurable_clientside_auth_params', 'azure_ad_token', 'tenant_id', 'aws_region_name', 'vertex_project'],
    ...['temperature', 'max_tokens', 'stop', 'tools', 'response_format', 'user', 'top_k', 'min_p', 'keepalive_seconds'],
  ],
  litellm: [
    ...['cache', 'cache_params', 'request_timeout', 'num_retries', 'allowed_fails', 'cooldown_time', 'fallbacks'],
    ...['default_fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks', 'drop_params', 'modify_params'],
    ...['callbacks', 'success_callback', 'turn_off_message_logging', 'json_logs', 'set_verbose', 'ssl_verify'],
    ...[
      'max_budget',
      'telemetry',
      'guardrails',
      'default_internal_user_params',
      'max_fallbacks',
      'forward_traceparent_to_llm_provider',
    ],
  ],
  router: [
    ...['timeout', 'stream_timeout', 'num_retries', 'allowed_fails', 'cooldown_time', 'disable_cooldowns', 'fallbacks'],
    ...[
      'default_fallbacks',
      'routing_strategy',
      'routing_strategy_args',
      'model_group_alias',
      'retry_after',
      'retry_policy',
    ],
    ...['model_group_retry_policy', 'allowed_fails_policy', 'enable_pre_call_checks', 'redis_host', 'redis_password'],
    ...[
      'cache_responses',
      'default_litellm_params',
      'default_max_parallel_requests',
      'enable_tag_filtering',
      'max_fallbacks',
    ],
  ],
  general: [
    ...['master_key', 'database_url', 'alerting', 'alerting_threshold', 'max_parallel_requests', 'custom_auth'],
    ...['background_health_checks', 'health_check_interval', 'pass_through_endpoints', 'completion_model', 'otel'],
  ],
  cache: [
    'type',
    'ttl',
    'mode',
    'host',
    'port',
    'password',
    'namespace',
    'supported_call_types',
    'ssl',
    's3_bucket_name',
  ],
  info: ['id', 'mode', 'base_model', 'input_cost_per_token', 'access_groups'],
} as const

const scalar = fc.oneof(
  fc.integer({ min: 2, max: 500 }),
  fc.stringMatching(/^[a-z]{3,9}$/),
  fc.constantFrom('os.environ/NAME', 'https://a.example/v1?x=1', 'local', 'default_off', 'm', 'other', true, false, 0),
)
const anything: fc.Arbitrary<Json> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(scalar, { minLength: 1, maxLength: 2 }),
  fc.dictionary(fc.stringMatching(/^[a-z]{3,9}$/), scalar, { minKeys: 1, maxKeys: 2 }),
)
const section = (keys: readonly string[], own: Readonly<Record<string, fc.Arbitrary<Json>>> = {}) =>
  fc
    .record(Object.fromEntries(keys.map((key) => [key, own[key] ?? anything])), { requiredKeys: [] })
    .map((one) => one as JsonObject)

const configuration = fc
  .record({
    params: section(DOCUMENTED.params, {
      custom_llm_provider: fc.constant('openai'),
      organization: fc.stringMatching(/^org-[a-z]{4}$/),
    }),
    info: section(DOCUMENTED.info),
    litellm: section(DOCUMENTED.litellm, { cache_params: section(DOCUMENTED.cache) }),
    router: section(DOCUMENTED.router),
    general: section(DOCUMENTED.general),
    unknown: fc.dictionary(fc.stringMatching(/^x_[a-z]{3,9}$/), scalar, { maxKeys: 2 }),
  })
  .map(({ params, info, litellm, router, general, unknown }) => ({
    model_list: [
      {
        model_name: 'm',
        litellm_params: { model: 'openai/first', ...params, ...unknown },
        model_info: info,
        ...unknown,
      },
      { model_name: 'other', litellm_params: { model: 'groq/second', api_key: 'os.environ/K' } },
    ],
    litellm_settings: { ...litellm, ...unknown },
    router_settings: { ...router, ...unknown },
    general_settings: { ...general, ...unknown },
    environment_variables: { A: 'canary', ...unknown },
    ...unknown,
  }))

/** The ways to all keys that a reader of the configuration would look for in the result or on the list. */
function keysOf(config: JsonObject): (readonly string[])[] {
  const within = (way: readonly string[]): (readonly string[])[] => {
    let value: Json | undefined = config
    for (const step of way) value = (value as JsonObject | undefined)?.[step]
    return Object.keys((value ?? {}) as JsonObject).map((key) => [...way, key])
  }
  const entry = ['model_list', '0']
  const sections = ['litellm_settings', 'router_settings', 'general_settings', 'environment_variables']
  return [
    ...within([...entry, 'litellm_params']).filter((way) => way.at(-1) !== 'model'),
    ...within([...entry, 'model_info']),
    ...within(entry).filter((way) => way.at(-1)?.startsWith('x_')),
    ...sections.flatMap((name) => within([name])),
    ...within(['litellm_settings', 'cache_params']),
    ...within([]).filter((way) => way.at(-1)?.startsWith('x_')),
  ]
}

function without(value: Json, [step, ...rest]: readonly string[]): Json {
  if (Array.isArray(value))
    return value.map((item: Json, index) => (String(index) === step ? without(item, rest) : item))
  const entries = Object.entries(value as JsonObject)
  if (rest.length === 0) return Object.fromEntries(entries.filter(([key]) => key !== step))
  return Object.fromEntries(entries.map(([key, item]) => [key, key === step ? without(item, rest) : item]))
}

test('no key is lost: without it, what comes out or the list would say something else', () => {
  fc.assert(
    fc.property(configuration, (config) => {
      const said = JSON.stringify(importLitellm(JSON.stringify(config)))
      expect(said).not.toContain('canary')
      const lost = keysOf(config).filter(
        (way) => JSON.stringify(importLitellm(JSON.stringify(without(config, way)))) === said,
      )
      expect({ lost, config: lost.length === 0 ? undefined : config }).toEqual({ lost: [], config: undefined })
    }),
    { numRuns: 25 },
  )
}, 60_000)
