import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { importLitellm } from '../../../../src/cli/import/litellm.ts'
import { loadSettings } from '../../../../src/config/load-settings.ts'
import { settingsFromEnv } from '../../../../src/config/settings-from-env.ts'
import type { Json } from '../../../../src/formats/json/json.ts'

/** A configuration in the manner of LiteLLM's own documentation. */
const BALANCED = `
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://eu.openai.azure.com/
      api_key: "os.environ/AZURE_API_KEY_EU"
      api_version: 2024-06-01
      rpm: 6
  - model_name: gpt-4o
    litellm_params:
      model: azure/o_series/gpt-4o-ca
      api_base: https://ca.openai.azure.com/openai/deployments/gpt-4o-ca
      api_key: os.environ/AZURE_API_KEY_CA
      rpm: 1440
      max_parallel_requests: 10
  - model_name: gpt-4o-mini
    litellm_params: { model: gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY, timeout: 30, stream_timeout: 5 }
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet, api_key: os.environ/ANTHROPIC_API_KEY }
    model_info: { id: the-claude, mode: chat }
litellm_settings:
  num_retries: 1
  request_timeout: 600
  fallbacks: [{ gpt-4o: [gpt-4o-mini] }, { gpt-4o-mini: [the-claude] }]
  context_window_fallbacks: [{ gpt-4o: [claude] }]
  drop_params: True
  success_callback: [langfuse]
router_settings:
  routing_strategy: simple-shuffle
  model_group_alias: { gpt-4: gpt-4o, old: { model: claude, hidden: true }, lost: nothing }
  allowed_fails: 3
  cooldown_time: 30
  redis_host: localhost
general_settings:
  master_key: sk-master-1234
  database_url: postgresql://user:password@host/db
environment_variables:
  LANGFUSE_SECRET_KEY: sk-lf-5678
`

const LITERAL_KEYS = `
model_list:
  - model_name: team-1
    litellm_params: { model: openai/gpt-4o, api_key: sk-first-key, organization: org-1, temperature: 0.2, max_tokens: 20 }
  - model_name: team-2
    litellm_params: { model: openai/gpt-4o, api_key: sk-first-key, temperature: 0.2 }
  - model_name: team-2
    litellm_params:
      model: openai/gpt-4o
      api_key: sk-second-key
      temperature: 0.7
      extra_headers: { "X-Team": "red \${1}", X-Api-Token: sk-header, "AI Resource": x, Host: y, Authorization: z }
  - model_name: local
    litellm_params: { model: openai/facebook/opt-125m, api_base: "http://10.0.0.1:8000/v1/", api_key: none }
  - model_name: mistral-7b
    litellm_params: { model: ollama_chat/mistral, api_base: os.environ/OLLAMA_BASE }
  - model_name: proxied
    litellm_params: { model: litellm_proxy/x, api_base: "https://user:secret-password@proxy.example/v1" }
`

const WILDCARDS = `
model_list:
  - model_name: "*"
    litellm_params: { model: "openai/*", api_key: os.environ/OPENAI_API_KEY, organization: [org-1, org-2] }
  - model_name: "anthropic/*"
    litellm_params: { model: "anthropic/*" }
  - model_name: "anthropic/claude-3-*"
    litellm_params: { model: "anthropic/claude-3-*" }
  - model_name: fast
    litellm_params: { model: groq/llama-3, order: 2 }
  - model_name: fast
    litellm_params: { model: together_ai/llama-3, order: 1 }
  - model_name: fast
    litellm_params: { model: perplexity/sonar }
  - model_name: foreign
    litellm_params: { model: bedrock/anthropic.claude, aws_region_name: us-east-1 }
  - model_name: foreign-too
    litellm_params: { model: vertex_ai/gemini-pro }
  - model_name: nobody
    litellm_params: { model: some-model }
  - model_name: "a*b*"
    litellm_params: { model: "openai/*" }
router_settings:
  routing_strategy: latency-based-routing
  default_fallbacks: ["anthropic/claude-3-haiku"]
  disable_cooldowns: true
  num_retries: 20
`

const ANCHORS = `
x: &common { api_key: os.environ/OPENAI_API_KEY, num_retries: 0, cooldown_time: 5 }
model_list:
  - { model_name: a, litellm_params: { <<: *common, model: openai/a, weight: 3 } }
  - { model_name: a, litellm_params: { <<: *common, model: openai/b, weight: 1 } }
  - { model_name: a, litellm_params: { <<: *common, model: openai/c } }
  - { model_name: v1, litellm_params: { model: azure/x, api_base: "https://r.openai.azure.com/openai/v1/" } }
litellm_settings: { set_verbose: false, cache: no, ssl_verify: false, cooldown_time: 0 }
`

const EXAMPLES = { BALANCED, LITERAL_KEYS, WILDCARDS, ANCHORS }

/** A variable as nexcode.yaml has it. */
function variable(name: string): string {
  return `\${${name}}`
}

interface Result {
  readonly yaml: string
  readonly file: { readonly [key: string]: Json }
  readonly list: ReadonlyMap<string, string>
}

function translate(text: string): Result {
  const imported = importLitellm(text)
  if ('problem' in imported) throw new Error(imported.problem)
  const list = new Map(imported.untranslated.map(({ path, why }) => [path, why]))
  return { yaml: imported.yaml, file: parse(imported.yaml), list }
}

describe('a translated LiteLLM configuration', () => {
  test('has deployments of one name as targets of a model, with shares, fallbacks and aliases', () => {
    const { file } = translate(BALANCED)
    const gpt4o = {
      targets: [
        { upstream: 'azure', model: 'gpt-4o-eu', weight: 1 },
        { upstream: 'azure-2', model: 'gpt-4o-ca', weight: 240 },
        { upstream: 'openai', model: 'gpt-4o-mini', order: 1 },
        { upstream: 'anthropic', model: 'claude-sonnet', order: 2 },
      ],
      strategy: 'weighted',
      retry: { attempts: 4 },
    }
    const claude = { targets: [{ upstream: 'anthropic', model: 'claude-sonnet' }] }
    expect(file['models']).toEqual({
      'gpt-4o': gpt4o,
      'gpt-4': gpt4o,
      'gpt-4o-mini': {
        targets: [
          { upstream: 'openai', model: 'gpt-4o-mini' },
          { upstream: 'anthropic', model: 'claude-sonnet', order: 1 },
        ],
      },
      claude,
      old: claude,
    })
  })

  test('has the upstreams with their presets and variables, and what holds for all models', () => {
    const { file, yaml } = translate(BALANCED)
    expect(yaml).toStartWith('# yaml-language-server: $schema=./nexcode.schema.json\n')
    expect(file['upstreams']).toEqual({
      azure: {
        preset: 'azure',
        base_url: 'https://eu.openai.azure.com/openai',
        api_key: variable('AZURE_API_KEY_EU'),
        query: { 'api-version': '2024-06-01' },
      },
      'azure-2': {
        preset: 'azure',
        base_url: 'https://ca.openai.azure.com/openai',
        api_key: variable('AZURE_API_KEY_CA'),
        concurrency: { max: 10, queue: 65_535, queue_timeout: 0 },
      },
      openai: {
        preset: 'openai',
        api_key: variable('OPENAI_API_KEY'),
        timeouts: { first_byte: '30s', stream_idle: '30s' },
      },
      anthropic: { preset: 'anthropic', api_key: variable('ANTHROPIC_API_KEY') },
    })
    expect(file).toMatchObject({
      unknown_models: 'refuse',
      report_model: 'alias',
      timeouts: { first_byte: '600s', stream_idle: '600s' },
      retry: { attempts: 2, on: ['connect', 'timeout', 'reset', 'invalid', 408, 409, 429, '5xx'] },
      breaker: { failures: 4, open: '30s', open_max: '30s' },
    })
  })

  test('comes with a list of what it lacks, each with its path and what to do', () => {
    const { list } = translate(BALANCED)
    expect([...list.keys()].toSorted()).toEqual(
      [
        ...['model_list[0].litellm_params.rpm', 'model_list[1].litellm_params.rpm'],
        ...['model_list[2].litellm_params.stream_timeout', 'model_list[3].litellm_params', 'model_list[3].model_info'],
        ...['litellm_settings.context_window_fallbacks', 'litellm_settings.drop_params'],
        ...['litellm_settings.success_callback', 'router_settings.redis_host', 'general_settings.master_key'],
        ...['general_settings.database_url', 'environment_variables'],
        ...['router_settings.model_group_alias.old.hidden', 'router_settings.model_group_alias.lost'],
      ].toSorted(),
    )
    expect(list.get('general_settings.master_key')).toContain('API_TOKEN')
    expect(list.get('environment_variables')).toContain('LANGFUSE_SECRET_KEY')
    expect(list.get('litellm_settings.drop_params')).toContain('`drop`')
  })

  test('has no secret of the source in it or in the list, but variables with a line for each', () => {
    for (const example of Object.values(EXAMPLES)) {
      expect(JSON.stringify(importLitellm(example))).not.toMatch(/sk-|password/)
    }
    const { file, list } = translate(LITERAL_KEYS)
    expect(file['upstreams']).toEqual({
      openai: { preset: 'openai', api_key: variable('OPENAI_KEY_1'), organization: 'org-1' },
      'openai-2': { preset: 'openai', api_key: variable('OPENAI_KEY_1') },
      'openai-3': {
        preset: 'openai',
        api_key: variable('OPENAI_KEY_2'),
        headers: { 'x-team': `red $$${'{1}'}`, 'x-api-token': variable('OPENAI_HEADER_1') },
      },
      'openai-4': { base_url: 'http://10.0.0.1:8000/v1' },
      ollama: { preset: 'ollama', base_url: `${variable('OLLAMA_BASE')}/v1` },
      litellm: { base_url: variable('LITELLM_BASE_URL_1'), api_key: variable('LITELLM_PROXY_API_KEY') },
    })
    expect(list.get('model_list[0].litellm_params.api_key')).toContain('set OPENAI_KEY_1 to it')
    expect(list.get('model_list[5].litellm_params.api_base')).toContain('set LITELLM_BASE_URL_1 to it')
    for (const header of ['["AI Resource"]', '.Host', '.Authorization']) {
      expect([...list.keys()]).toContain(`model_list[2].litellm_params.extra_headers${header}`)
    }
  })

  test('has parameters of deployments as defaults where all of a name have them alike', () => {
    const { file, list } = translate(LITERAL_KEYS)
    expect(file['params']).toEqual([{ match: { model: 'team-1' }, defaults: { temperature: 0.2, max_tokens: 20 } }])
    expect(list.get('model_list[1].litellm_params.temperature')).toContain('not the same')
    expect(list.get('model_list[2].litellm_params.temperature')).toContain('not the same')
  })

  test('has names before patterns, longer patterns first, and what * stands for', () => {
    const { file } = translate(WILDCARDS)
    const models = file['models']
    expect(Object.keys(models ?? {})).toEqual(['fast', 'anthropic/claude-3-*', 'anthropic/*', '*'])
    expect(models).toMatchObject({
      '*': {
        targets: [
          { upstream: 'openai', model: '*' },
          { upstream: 'openai-2', model: '*' },
          { upstream: 'anthropic', model: 'claude-3-haiku', order: 1 },
        ],
        strategy: 'least_busy',
      },
      fast: {
        targets: [
          { upstream: 'together', model: 'llama-3' },
          { upstream: 'groq', model: 'llama-3', order: 1 },
          { upstream: 'perplexity', model: 'sonar', order: 2 },
          { upstream: 'anthropic', model: 'claude-3-haiku', order: 3 },
        ],
      },
    })
    expect(file).toMatchObject({ breaker: false, retry: { attempts: 10 } })
    expect(file['upstreams']).toMatchObject({
      openai: { organization: 'org-1' },
      'openai-2': { organization: 'org-2' },
      groq: { preset: 'groq', api_key: variable('GROQ_API_KEY') },
      perplexity: { base_url: 'https://api.perplexity.ai', api_key: variable('PERPLEXITYAI_API_KEY') },
    })
  })

  test('leaves out what does not speak the protocol, names no provider, or has a pattern too many', () => {
    const { list } = translate(WILDCARDS)
    expect(list.get('model_list[6].litellm_params.model')).toContain('bedrock')
    expect(list.get('model_list[7].litellm_params.model')).toContain('vertex_ai')
    expect(list.get('model_list[8].litellm_params.model')).toContain('names no provider')
    expect(list.get('model_list[9].model_name')).toContain('more than one *')
    expect(list.get('router_settings.routing_strategy')).toContain('least_busy')
  })

  test('follows references and merges, reads yes and no as YAML 1.1 does, and misses nothing that is off', () => {
    const { file, list } = translate(ANCHORS)
    expect(file['models']).toEqual({
      a: {
        targets: [
          { upstream: 'openai', model: 'a', weight: 3 },
          { upstream: 'openai', model: 'b', weight: 1 },
        ],
        strategy: 'weighted',
        retry: { attempts: 1 },
      },
      v1: { targets: [{ upstream: 'azure', model: 'x' }] },
    })
    expect(file['upstreams']).toEqual({
      openai: { preset: 'openai', api_key: variable('OPENAI_API_KEY') },
      azure: {
        base_url: 'https://r.openai.azure.com/openai/v1',
        key_header: 'api-key',
        api_key: variable('AZURE_API_KEY'),
      },
    })
    expect(file['breaker']).toBe(false)
    expect(list.get('model_list[2].litellm_params.weight')).toContain('left out')
    expect(list.get('litellm_settings.ssl_verify')).toContain('tls_ca')
    expect([...list.keys()].some((path) => /cache|set_verbose/.test(path))).toBe(false)
    expect(list.get('x')).toBe('is not known here')
  })

  test('has nothing to go to where no model could be translated, and says so', () => {
    const { file, list } = translate('model_list: [{ model_name: a, litellm_params: { model: sagemaker/a } }, 1, {}]')
    expect(file).not.toContainAnyKeys(['upstreams', 'models'])
    expect([...list.keys()]).toEqual([
      ...['model_list[0].litellm_params.model', 'model_list[1]', 'model_list[2]', 'model_list'],
    ])
  })

  test('needs no changes before NexCode takes it: every example loads', () => {
    const base = settingsFromEnv({
      upstream: { baseUrl: 'http://127.0.0.1/v1', apiKey: undefined, organization: undefined, project: undefined },
      debugHeaders: false,
    })
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const { yaml } = translate(example)
      const env = Object.fromEntries(
        [...yaml.matchAll(/\$\{([A-Z]\w*)\}/g)].map(([, variable]) => [variable, 'http://v']),
      )
      const readFile = (path: string): string => {
        throw new Error(`reads ${path}`)
      }
      const loaded = loadSettings({ path: 'nexcode.yaml', text: yaml }, { env, readFile, base })
      expect([name, loaded.ok ? [] : loaded.problems]).toEqual([name, []])
    }
  })
})

describe('what can not be used as it stands', () => {
  test('is on the list: a number from a variable, a model from one, fallbacks that are no list', () => {
    const { file, list } = translate(`
model_list:
  - { model_name: a, litellm_params: { model: openai/a, timeout: os.environ/T, num_retries: [], order: x } }
  - { model_name: b, litellm_params: { model: os.environ/MODEL } }
  - { model_name: c, litellm_params: { model: openai/c, timeout: 0.25, max_retries: "4" } }
router_settings: { num_retries: os.environ/N, timeout: 1e12, fallbacks: { a: [c] }, model_group_alias: { a: c } }
`)
    expect([...list.keys()].toSorted()).toEqual([
      'model_list[0].litellm_params.num_retries',
      'model_list[0].litellm_params.order',
      'model_list[0].litellm_params.timeout',
      'model_list[1].litellm_params.model',
      'router_settings.fallbacks',
      'router_settings.model_group_alias.a',
      'router_settings.num_retries',
    ])
    expect(file).toMatchObject({ retry: { attempts: 3 }, timeouts: { stream_idle: '2147483s' } })
    expect(file['models']).toEqual({
      a: { targets: [{ upstream: 'openai', model: 'a' }] },
      c: {
        targets: [{ upstream: 'openai-2', model: 'c' }],
        retry: { attempts: 5 },
      },
    })
  })

  test('is on the list: numbers on which deployments of one name do not agree, and a limit that they share', () => {
    const { file, list } = translate(`
model_list:
  - { model_name: a, litellm_params: { model: openai/a, num_retries: 1, max_parallel_requests: 3 } }
  - { model_name: a, litellm_params: { model: openai/b, num_retries: 5, max_parallel_requests: 2 } }
`)
    expect([...list.keys()]).toEqual([
      'model_list[1].litellm_params.max_parallel_requests',
      'model_list[0].litellm_params.num_retries',
    ])
    expect(file['upstreams']).toMatchObject({ openai: { concurrency: { max: 3 } } })
    expect(file['models']).toMatchObject({ a: { retry: { attempts: 6 } } })
  })

  test('is on the list: a fallback that is no model, and one from no model', () => {
    const { file, list } = translate(`
model_list: [{ model_name: a, litellm_params: { model: openai/a } }]
litellm_settings: { fallbacks: [{ a: [lost, a] }, { other: [a] }, text] }
`)
    expect(file['models']).toEqual({ a: { targets: [{ upstream: 'openai', model: 'a' }] } })
    expect(list.get('litellm_settings.fallbacks[0]')).toContain('lost')
    expect(list.get('litellm_settings.fallbacks[1]')).toContain('other')
    expect(list.get('litellm_settings.fallbacks[2]')).toContain('no fallback')
  })
})

describe('what is no LiteLLM configuration', () => {
  test.each([
    ['model_list: [', 'line 1'],
    ['a: 1\nb: "sk-secret', 'line 2'],
    ['just a text', 'no LiteLLM configuration'],
    ['', 'no LiteLLM configuration'],
    ['general_settings: { master_key: sk-1 }', 'no model_list'],
    ['model_list: []', 'no model_list'],
    ['model_list: { a: b }', 'no model_list'],
    [
      `a0: &a0 [x]\n${Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 9 }, () => `*a${n}`).join(', ')}]`).join('\n')}`,
      'no LiteLLM configuration',
    ],
  ])('is refused with the reason, and none of its text: %p', (text, reason) => {
    const imported = importLitellm(text)
    expect(imported).toHaveProperty('problem', expect.stringContaining(reason))
    expect(JSON.stringify(imported)).not.toContain('sk-')
  })
})

describe('any configuration', () => {
  test('is translated or refused, whatever stands in place of one of its values', () => {
    const originals = Object.values(EXAMPLES).map((text) => parse(text, { version: '1.1' }) as Json)
    const odd = fc.oneof(
      fc.constantFrom(null, true, '', 'os.environ/A', '*', 'a*b', '\u0000', 1e9, -1, '__proto__', [], [[]], {}, [{}]),
      fc.jsonValue({ maxDepth: 2 }),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
        odd,
        (whole, way, value) => {
          const imported = importLitellm(stringify(replaceAlong(whole, way, value as Json)))
          if ('yaml' in imported) expect(parse(imported.yaml)).toBeObject()
          else expect(imported.problem).toBeString()
        },
      ),
      { numRuns: 1000 },
    )
  })
})

/** A copy with another value at the end of a way down, each step the number of a member. */
function replaceAlong(value: Json, [step, ...rest]: readonly number[], replacement: Json): Json {
  if (step === undefined || typeof value !== 'object' || value === null) return replacement
  const keys = Object.keys(value)
  const chosen = keys[step % Math.max(1, keys.length)]
  const copied = Object.entries(value).map(
    ([key, member]) => [key, key === chosen ? replaceAlong(member, rest, replacement) : member] as const,
  )
  return Array.isArray(value) ? copied.map(([, member]) => member) : Object.fromEntries(copied)
}
