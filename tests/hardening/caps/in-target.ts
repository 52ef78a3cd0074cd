import type { Random } from '../random.ts'
import type { RequestParts } from './request-parts.ts'

/** In the query, which some servers read with the body. */
export function inQuery(parts: RequestParts, random: Random): void {
  const names = [
    'model',
    'deployment',
    'deployment_id',
    'engine',
    'Model',
    'model[]',
    'mod%65l',
    'max_tokens',
    'n_predict',
    'logit_bias',
  ]
  for (let count = 0; count <= random.below(2); count += 1) {
    const name = random.pick(names)
    parts.query.push(`${name}=${/max|predict/.test(name) ? '5000' : random.pick(['dear', 'cheap', 'd%65ar'])}`)
  }
}

/** In a header, which some servers read before the body. */
export function inHeader(parts: RequestParts, random: Random): void {
  const [name, value] = random.pick([
    ['X-Litellm-Model', random.pick(['dear', 'cheap, dear', '["dear"]'])],
    ['x-model', 'dear'],
    ['Azureml-Model-Deployment', 'dear'],
    ['X-Original-URL', '/v1/chat/completions'],
    ['X-Rewrite-URL', '/v1/completions'],
  ] as const)
  parts.headers[name] = value
  if (value.startsWith('/')) {
    parts.path = '/v1/anything'
    parts.members.push(['"max_tokens"', '5000'])
  }
}

/** A model in the path. */
export function inPath(parts: RequestParts, random: Random): void {
  const call = random.pick(['chat/completions', 'completions', 'embeddings', 'images/generations'])
  const model = random.pick(['dear', 'dear', 'cheap', 'd%65ar', 'azure-cheap'])
  parts.path = random.pick([
    `/v1/deployments/${model}/${call}`,
    `/v1/engines/${model}/${call}`,
    `/deployments/${model}/${call}`,
    `/v1/openai/deployments/${model}/${call}`,
    `/v1/models/${model}:generateContent`,
    `/v1/deployments/cheap/../${model}/${call}`,
  ])
  if (random.percent(40)) parts.members.splice(0, 1)
}

const NESTED: readonly (readonly [path: string, name: string, value: string])[] = [
  ['realtime/client_secrets', 'session', '{"type":"realtime","model":"dear","max_output_tokens":"inf"}'],
  ['realtime/sessions', 'max_response_output_tokens', '"inf"'],
  [
    'evals/eval_1/runs',
    'data_source',
    '{"type":"completions","model":"dear","sampling_params":{"max_completion_tokens":5000}}',
  ],
  ['messages/batches', 'requests', '[{"custom_id":"1","params":{"model":"dear","max_tokens":5000,"messages":[]}}]'],
  ['chat/completions', 'models', '["cheap","dear"]'],
  ['chat/completions', 'extra_body', '{"models":["dear"],"max_tokens":5000}'],
  ['responses', 'tools', '[{"type":"image_generation","model":"dear"}]'],
  [
    'evals',
    'testing_criteria',
    '[{"type":"score_model","model":"dear","sampling_params":{"max_completion_tokens":5000}}]',
  ],
  [
    'fine_tuning/jobs',
    'method',
    '{"reinforcement":{"grader":{"graders":{"a":{"type":"score_model","model":"dear"}}}}}',
  ],
  ['batches', 'input', '[{"url":"/v1/chat/completions","body":{"model":"dear","max_tokens":5000}}]'],
  ['batches', 'requests', '[{"url":"/v1/chat/completions","body":{"model":"cheap","max_tokens":5000}}]'],
]

/** Calls whose model stands within something. */
export function nest(parts: RequestParts, random: Random): void {
  const [path, name, value] = random.pick(NESTED)
  parts.path = `/v1/${path}`
  parts.members.push([`"${name}"`, value])
  if (random.percent(50)) parts.members.splice(0, 1)
}
