/** A file that says something with every key there is. */
export const EXAMPLE = `# yaml-language-server: $schema=./nexcode.schema.json
$schema: ./nexcode.schema.json
debug_headers: false
client_deadline: false
default_upstream: azure
unknown_models: refuse
report_model: alias
all_open: refuse
timeouts: { first_byte: 60s, stream_idle: 1500, total: 0 }
retry: { attempts: 4, on: [connect, 5xx, 429, 503], base: 100ms, max: 4s, retry_after_max: 5s, budget: 20 }
breaker: { failures: 3, rate: 0.25, minimum: 10, window: 10s, open: 5s, open_max: 1m }
hedge: { percentile: 90, min: 50ms, budget: 1.5 }
pins: { files: openai, batches: azure }
upstreams:
  openai: { preset: openai, api_key: "\${OPENAI_API_KEY}" }
  azure:
    preset: azure
    base_url: "https://my.openai.azure.com/openai/"
    api_keys: ["\${AZURE_A}", "\${AZURE_B}"]
    auth: server
    key_header: X-Key
    headers: { X-Team: red }
    query: { api-version: "2025-01-01", extra: "1" }
    path: "/d/{model}{path}"
    organization: org-1
    project: proj_1
    timeouts: { first_byte: 30s }
    tls_ca: ./ca.pem
    proxy: "http://proxy:3128"
    concurrency: { max: 4, queue: 16, queue_timeout: 2s }
    breaker: { failures: 9 }
    check: { path: /health, every: 10s, timeout: 1s }
  local:
    base_url: http://127.0.0.1:11434/v1
    api_key_file: keys
    auth: caller
    proxy: none
    breaker: false
    concurrency: { max: 1 }
    check: {}
models:
  smart:
    targets:
      - { upstream: openai, model: gpt-4o, weight: 3 }
      - { upstream: azure, model: my-deployment, order: 2 }
    strategy: affinity
    report_model: upstream
    retry: { attempts: 2 }
    hedge: { percentile: 50 }
    timeouts: { total: 120s }
    all_open: try
  "gpt-*": { targets: [{ upstream: openai }, { upstream: local }], hedge: false }
  "groq/*": { targets: [{ upstream: local, model: "*", weight: 1 }, { upstream: openai }] }
params:
  - match:
      model: smart
      endpoint: [chat/completions, "audio/*"]
      principal: token
      header: { X-Team: "red*" }
    defaults: { temperature: 0.7, stop: null, metadata: { tags: [a, 1, true] } }
    overrides: { user: shared }
    clamp: { max_tokens: { max: 1500 }, temperature: { min: 0, max: 1 } }
    drop: [logit_bias]
    rename: { max_tokens: max_completion_tokens }
    require: [user]
    deny: [seed]
    allow: [model, messages, temperature]
    values: { "response_format.type": [text, json_object], model: [smart] }
    on_violation: drop
  - drop: [store]
`

/** The environment that it needs. */
export const EXAMPLE_ENV = { OPENAI_API_KEY: 'sk-openai', AZURE_A: 'key-a', AZURE_B: 'key-b' }
