import type { Random } from '../random.ts'
import type { LongRequest } from './judge-decisions.ts'

const LONG = 'x'.repeat(9000)
const SPACES = ['', '', '', '', ' ', '\n', ' '.repeat(70)]
/** Names that rules, models or ids depend on, and other ones. */
const NAMES = [
  ...['model', 'Model', 'fallbacks', 'model_id', 'engine', 'max_tokens', 'maxTokens', 'max_completion_tokens'],
  ...['temperature', 'n', 'stream', 'user', 'tools', 'functions', 'response_format', 'extra_body', '__proto__'],
  ...['metadata', 'prompt', 'messages', 'thinking', 'reasoning', 'budget_tokens', 'stop', 'parameters', 'name', 'type'],
  ...[
    'id',
    'file_id',
    'file_ids',
    'tool_call_id',
    'conversation',
    'container',
    'result_files',
    'params',
    'body',
    'preset',
  ],
  ...['input', 'documents', 'purpose', 'seed', 'x', 'store', 'logit_bias'],
]
const TEXTS = [
  'smart',
  'gpt-5',
  'Smart',
  'file-known',
  'file-other',
  'x',
  '',
  'auto',
  'function',
  'batch',
  '"',
  'a\\b',
  LONG,
]
const SCALARS = ['null', 'true', 'false', '0', '-1', '5', '1.5', '1e9', '9007199254740993', '""']
/** Members by which a cache decides. */
const CACHED = [
  ...['"temperature":0', '"seed":7', '"store":false', '"store":true', '"background":true', '"conversation":"conv_1"'],
  ...['"tools":[{"type":"function","name":"f"}]', '"tools":[{"type":"web_search"}]', '"web_search_options":{"a":1}'],
  ...['"seed":{"a":1}', '"tools":{"type":"function"}', `"seed":"${LONG}"`, '"store":[]', '"web_search_options":null'],
]
/** The characters that are put in the place of others. */
const STRAY = ['"', '\\', '{', '}', '[', ']', ',', ':', '/', "'", ' ', 'm', '1', '\u00e9']

/** Paths whose bodies are read, and the names of their long members. */
const PATHS = [
  { path: '/v1/chat/completions', long: 'messages' },
  { path: '/v1/responses', long: 'input' },
  { path: '/v1/responses', long: 'input' },
  { path: '/v1/embeddings', long: 'input' },
  { path: '/v1/conversations', long: 'items' },
  { path: '/v1/messages', long: 'messages' },
] as const

/** Makes a request with a long text, which is JSON but for one in ten. */
export function randomRequest(random: Random): LongRequest {
  const { path, long } = random.pick(PATHS)
  return { path, text: randomBody(random, long) }
}

function randomBody(random: Random, long: string): string {
  const members = Array.from({ length: random.below(6) }, () => memberText(random, 1))
  const model = random.percent(85)
    ? [`${stringText('model', random)}:"${random.pick(['smart', 'gpt-5', 'other'])}"`]
    : []
  const text = random.percent(50) ? `[{"role":"user","content":"${LONG}"}${messageText(random)}]` : `["${LONG}"]`
  const all = [...model, ...members]
  all.splice(random.below(all.length + 1), 0, `"${long}":${random.percent(8) ? `[${text}]` : text}`)
  const body = `${random.pick(SPACES)}{${all.join(`${random.pick(SPACES)},${random.pick(SPACES)}`)}}`
  if (random.percent(90)) return body
  const at = random.below(body.length)
  return body.slice(0, at) + random.pick(STRAY) + body.slice(at + random.below(2))
}

function messageText(random: Random): string {
  if (random.percent(50)) return ''
  if (random.percent(10)) return `,{${stringText(random.pick(['params', 'body']), random)}:{${memberText(random, 3)}}}`
  return `,{"role":"assistant",${memberText(random, 2)},"tool_calls":[{"id":"${random.pick(['call_1', 'file-known'])}"}]}`
}

function memberText(random: Random, depth: number): string {
  const space = random.pick(SPACES)
  if (depth === 1 && random.percent(15)) return random.pick(CACHED)
  return `${stringText(random.pick(NAMES), random)}${space}:${space}${valueText(random, depth)}`
}

function valueText(random: Random, depth: number): string {
  const kind = random.below(depth > 4 ? 5 : 10)
  if (kind < 3) return random.pick(SCALARS)
  if (kind < 5) return stringText(random.pick(TEXTS), random)
  if (kind < 8) return `{${Array.from({ length: random.below(4) }, () => memberText(random, depth + 1)).join(',')}}`
  return `[${Array.from({ length: random.below(4) }, () => valueText(random, depth + 1)).join(random.pick([',', ' , ']))}]`
}

/** A string of JSON, some of whose characters are escaped where they need not be. */
function stringText(text: string, random: Random): string {
  if (random.percent(90)) return JSON.stringify(text)
  const units = Array.from({ length: Math.min(text.length, 60) }, (_, at) => text.charCodeAt(at))
  const escaped = units.map((unit) => (random.percent(30) ? `\\u${unit.toString(16).padStart(4, '0')}` : undefined))
  return `"${escaped.map((one, at) => one ?? JSON.stringify(text.charAt(at)).slice(1, -1)).join('')}"`
}
