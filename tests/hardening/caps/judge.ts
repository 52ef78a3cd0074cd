import { MODEL_WORDS } from './forbidden.ts'
import { isPlainObject, type PlainObject, type PlainValue } from './plain-value.ts'
import type { Reading } from './read-request.ts'

/** What the rules of the gateway forbid. */
export interface Policy {
  readonly max: number
  /** How many answers a request may ask for, by whatever word; undefined: that is for the cap to hold. */
  readonly answersMax?: number
  /** The endpoints that the cap is for; undefined: all. */
  readonly capped: ReadonlySet<string> | undefined
  readonly forbiddenModel: string
  readonly deniedParam: string
  /** Whether an answer must have a cap, as a default is put in where a request has none. */
  readonly needsCap: boolean
  /** The words that its servers go by; undefined: all that there are. */
  readonly words?: ReadonlySet<string>
}

/** What has one of these asks for an answer. */
const ASKING = ['messages', 'prompt', 'model']

/** What a server goes by at an endpoint, where an answer must have a cap. */
const CERTAIN: Readonly<Record<string, readonly string[]>> = {
  'chat/completions': ['max_tokens', 'max_completion_tokens'],
  completions: ['max_tokens'],
}

const CAPS = [
  ...[
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'n_predict',
    'num_predict',
    'max_new_tokens',
    'max_length',
  ],
  ...['max_gen_len', 'max_tokens_to_sample', 'maxTokens', 'tokens_to_generate', 'maxOutputTokens'],
]
const BUDGETS = [
  ...['min_tokens', 'thinking_budget', 'thinking_token_budget', 'thinking_budget_tokens', 'thinking.budget_tokens'],
  'reasoning.max_tokens',
]
const COUNTS = ['n', 'best_of', 'n_cmpl', 'num_choices', 'candidate_count', 'candidateCount', 'num_return_sequences']
const WRAPPERS = ['options', 'parameters', 'generation_config', 'generationConfig', 'sampling_params', 'extra_body']
/** Endpoints whose parameters stand within others. */
const DEEP = new Set([
  ...[
    'realtime/client_secrets',
    'realtime/sessions',
    'evals',
    'evals/runs',
    'messages/batches',
    'batches',
    'responses',
  ],
  'fine_tuning/jobs',
])

/**
 * Says what a server read in a request that the rules forbid; undefined: nothing.
 *
 * @example
 * const message = judgeReading(reading, policy)
 */
export function judgeReading(reading: Reading, policy: Policy): string | undefined {
  const objects = DEEP.has(reading.endpoint) ? objectsIn(reading.body) : [reading.body]
  const models = [reading.model, ...reading.inHeaders, ...namesIn(reading.query), ...objects.flatMap(namesIn)]
  const forbidden = models.find((model) => model?.toLowerCase() === policy.forbiddenModel)
  if (forbidden !== undefined) return `the model ${forbidden} at ${reading.endpoint}`
  if (policy.capped !== undefined && !policy.capped.has(reading.endpoint)) return undefined
  for (const object of objects) {
    if (policy.deniedParam in object) return policy.deniedParam
    const past = pastCap(object, policy)
    const certain = CERTAIN[reading.endpoint]
    const isFree =
      policy.needsCap &&
      ASKING.some((name) => name in object) &&
      certain?.every((name) => numberOf(object[name]) === undefined) === true
    if (isFree) return `no cap at ${reading.endpoint}`
    if (past !== undefined) return `${past} at ${reading.endpoint}`
  }
  return undefined
}

function pastCap(object: PlainObject, { max, words, answersMax }: Policy): string | undefined {
  const read = (names: readonly string[]): ReturnType<typeof numbersAt> =>
    numbersAt(object, names).filter(([path]) => words === undefined || words.has(path))
  if (answersMax !== undefined) {
    const [name, count] = read(COUNTS).find(([, number]) => !(number >= 1 && number <= answersMax)) ?? []
    return name === undefined ? undefined : `${name} ${count}`
  }
  const answers = Math.max(1, ...read(COUNTS).map(([, count]) => Math.floor(count))) * promptsIn(object)
  for (const [name, tokens] of read(CAPS)) {
    if (!(tokens >= 1)) return `${name} ${tokens}, which is no cap`
    if (tokens * answers > max) return `${name} ${tokens} for ${answers} answers`
  }
  for (const [name, tokens] of read(BUDGETS)) if (tokens < 0 || tokens > max) return `${name} ${tokens}`
  return undefined
}

/** All numbers at some names, alone and within what holds parameters; also such as are a text. */
function numbersAt(object: PlainObject, names: readonly string[]): (readonly [name: string, number: number])[] {
  const paths = names.flatMap((name) => [name, ...WRAPPERS.map((wrapper) => `${wrapper}.${name}`)])
  return paths.flatMap((path) => {
    const value = path.split('.').reduce<PlainValue>((inner, name) => openText(inner)?.[name], object)
    const number = numberOf(value)
    return number === undefined ? [] : [[path, number] as const]
  })
}

/** An object, also one that is written in a text, as transformers takes its configuration. */
function openText(value: PlainValue): PlainObject | undefined {
  if (isPlainObject(value)) return value
  if (typeof value !== 'string' || !value.startsWith('{')) return undefined
  try {
    return JSON.parse(value) as PlainObject
  } catch {
    return undefined
  }
}

function numberOf(value: PlainValue): number | undefined {
  if (Array.isArray(value)) {
    const numbers = value.map(numberOf).filter((one) => one !== undefined)
    return numbers.length === 0 ? undefined : Math.max(...numbers)
  }
  if (typeof value === 'string') return value.trim() === 'inf' ? Infinity : textNumber(value)
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' && !Number.isNaN(value) ? value : undefined
}

function textNumber(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text.trim().replaceAll('_', ''))
  // One reader takes the digits as far as they go, another one the number that they are.
  const digits = Number.parseInt(text, 10)
  if (Number.isNaN(number)) return undefined
  return Number.isNaN(digits) ? number : Math.max(number, digits)
}

function promptsIn({ prompt, messages }: PlainObject): number {
  const several = (value: PlainValue, isPart: (item: PlainValue) => boolean): number =>
    Array.isArray(value) && value.some(isPart) ? value.length : 1
  return Math.max(
    several(prompt, (item) => typeof item !== 'number'),
    several(messages, Array.isArray),
  )
}

function namesIn(object: PlainObject): readonly string[] {
  const names = ['model', ...MODEL_WORDS].flatMap((name) => [object[name]].flat(2))
  return names.filter((name) => typeof name === 'string')
}

function objectsIn(value: PlainValue): readonly PlainObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn)
  return isPlainObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : []
}
