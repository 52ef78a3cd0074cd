import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { capWordsOf, joinCapWords, OPENAI_WORDS } from '../../../src/config/providers/cap-words.ts'
import { orError, outcome, programAt, type RuleParts } from './rule-programs.ts'

const ALL = joinCapWords([undefined])
const CAP: RuleParts = { clamp: { max_tokens: { min: undefined, max: 100 } } }

function of(body: object | string, ...rules: readonly RuleParts[]): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const result = outcome(programAt('completions', ALL, ...(rules.length === 0 ? [CAP] : rules)), text)
  return typeof result === 'string' ? JSON.parse(result) : result
}

describe('the words for the cap', () => {
  test.each([
    'n_predict',
    'num_predict',
    'options.num_predict',
    'maxTokens',
    'max_new_tokens',
    'max_length',
    'max_gen_len',
    'generation_config.max_output_tokens',
    'generationConfig.maxOutputTokens',
    'parameters.max_new_tokens',
    'extra_body.max_tokens',
    'inferenceConfig.maxTokens',
    'tokens_to_generate',
    'max_tokens_to_sample',
    'min_tokens',
    'thinking.budget_tokens',
    'reasoning.max_tokens',
    'extra_body.google.thinking_config.thinking_budget',
  ])('%s is clamped with them', (path) => {
    const body = (value: unknown): object =>
      path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object
    expect(of(body(5000))).toEqual(body(100))
    expect(of(body(99))).toEqual(body(99))
    expect(of(body(null))).toEqual(body(null))
    expect(of(body('5000'))).toMatchObject({ param: path, code: 'invalid_type' })
    expect(of(body(-1))).toMatchObject({ param: path, code: 'integer_below_min_value' })
  })

  test.each(['max_tokens', 'n_predict', 'max_completion_tokens', 'options.num_predict'])(
    'a rule about any of them is about all: %s',
    (name) => {
      const rule: RuleParts = { clamp: { [name]: { min: undefined, max: 100 } } }
      expect(of({ max_tokens: 900, n_predict: 900, options: { num_predict: 900, x: 900 } }, rule)).toEqual({
        max_tokens: 100,
        n_predict: 100,
        options: { num_predict: 100, x: 900 },
      })
    },
  )

  test('a budget has a cap of its own beside that, and is no cap itself', () => {
    const rule: RuleParts = { clamp: { 'thinking.budget_tokens': { min: undefined, max: 50 } } }
    expect(of({ max_tokens: 900, thinking: { budget_tokens: 900 } }, rule, CAP)).toEqual({
      max_tokens: 100,
      thinking: { budget_tokens: 50 },
    })
    expect(of({ max_tokens: 900, thinking: { budget_tokens: 900 } }, rule)).toMatchObject({ max_tokens: 900 })
  })

  test('a minimum is for caps, not for what an answer may spend on thinking', () => {
    const rule: RuleParts = { clamp: { max_tokens: { min: 10, max: 100 } } }
    const body = { n_predict: 1, min_tokens: 0, thinking: { budget_tokens: 0 } }
    expect(of(body, rule)).toEqual({ ...body, n_predict: 10 })
  })

  test.each(['max_tokens', 'n_predict', 'max_output_tokens'])('%s below 1 is no cap to some servers', (name) => {
    for (const value of ['-1', '-2', '0', '-0', '0.5', '1e-9', '-1e400']) {
      expect(of(`{"${name}":${value}}`)).toMatchObject({
        message: expect.stringMatching(/integer below minimum value\. Expected a value >= 1, but got /),
        param: name,
        code: 'integer_below_min_value',
      })
    }
    expect(of(`{"${name}":-1}`, { clamp: { max_tokens: { min: 1, max: 100 } } })).toEqual({ [name]: 1 })
    expect(of(`{"${name}":-1}`, { clamp: { max_tokens: { min: -5, max: undefined } } })).toEqual({ [name]: -1 })
    expect(of(`{"${name}":1e400}`)).toEqual({ [name]: 100 })
  })

  test.each(['options', 'generation_config', 'parameters', 'extra_body', 'thinking'])(
    'a text or a list in the place of %s is refused: some servers read the object that is written in it',
    (name) => {
      for (const value of ['{"max_new_tokens":5000}', [{ max_new_tokens: 5000 }]]) {
        expect(of({ [name]: value })).toMatchObject({ code: 'rules_not_applicable' })
      }
      for (const value of [true, null, 5, {}]) expect(of({ [name]: value })).toEqual({ [name]: value })
    },
  )

  test('an override sets each that is there, and its own beside one that is no cap for certain', () => {
    const rule: RuleParts = { overrides: { max_tokens: 7 } }
    expect(of({ n_predict: 900 }, rule)).toEqual({ max_tokens: 7, n_predict: 7 })
    expect(of({ max_tokens: 900, options: { num_predict: 900 } }, rule)).toEqual({
      max_tokens: 7,
      options: { num_predict: 7 },
    })
    expect(of({ max_tokens: 900, min_tokens: 5 }, rule)).toEqual({ max_tokens: 7, min_tokens: 5 })
  })

  test.each([
    ['chat/completions', 'max_output_tokens', true],
    ['chat/completions', 'n_predict', true],
    ['chat/completions', 'max_completion_tokens', false],
    ['completions', 'max_completion_tokens', true],
    ['completions', 'max_tokens', false],
    ['responses', 'max_tokens', true],
    ['responses', 'max_output_tokens', false],
    ['things', 'max_output_tokens', false],
  ] as const)('a default at %s where %s is there is put in: %s', (endpoint, name, isPut) => {
    const rule: RuleParts = { defaults: { max_output_tokens: 7, max_tokens: 7 } }
    const result = outcome(programAt(endpoint, ALL, rule), `{"${name}":5}`)
    expect(result !== `{"${name}":5}`).toBe(isPut)
  })

  test('a name that one of the servers does not go by is no cap for certain', () => {
    const words = joinCapWords([OPENAI_WORDS, capWordsOf('llama-cpp-python')])
    const rule: RuleParts = { defaults: { max_tokens: 7 } }
    const sent = '{"max_completion_tokens":5}'
    expect(outcome(programAt('chat/completions', words, rule), sent)).toBe('{"max_tokens":7,"max_completion_tokens":5}')
    expect(outcome(programAt('chat/completions', OPENAI_WORDS, rule), sent)).toBe(sent)
    expect(outcome(programAt('chat/completions', words, { overrides: { max_tokens: 7 } }), sent)).toBe(
      '{"max_tokens":7,"max_completion_tokens":7}',
    )
  })

  test('a name that comes to a word is refused', () => {
    for (const name of [
      'Max_Tokens',
      'maxtokens',
      'N_Predict',
      'Options',
      'MaxNewTokens',
      'max-length',
      'N',
      'bestOf',
    ]) {
      expect(of({ [name]: 5 })).toMatchObject({ param: name, code: 'rules_not_applicable' })
    }
    expect(of({ options: { NumPredict_: 5 } })).toMatchObject({ param: 'options.NumPredict_' })
  })
})

describe('the cap is for all answers to a request together', () => {
  test.each<[string, object, number]>([
    ['n', { n: 2 }, 50],
    ['n that does not go up', { n: 3 }, 33],
    ['best_of, which is at least n', { n: 2, best_of: 5 }, 20],
    ['one answer', { n: 1 }, 100],
    ['no number of answers', { n: null }, 100],
    ['half an answer more', { n: 1.5 }, 50],
    ['a word of other servers', { num_choices: 4 }, 25],
    ['a word within', { generation_config: { num_return_sequences: 4 } }, 25],
    ['several prompts', { prompt: ['a', 'b'] }, 50],
    ['several prompts of tokens', { prompt: [[1, 2], [3], [4]] }, 33],
    ['prompts of both kinds', { prompt: ['a', [1]] }, 50],
    ['one prompt of tokens', { prompt: [1, 2, 3] }, 100],
    ['one prompt', { prompt: 'a' }, 100],
    ['a list of one', { prompt: ['a'] }, 100],
    ['an empty list', { prompt: [] }, 100],
    ['a conversation', { messages: [{ role: 'user' }, { role: 'user' }] }, 100],
    ['several conversations', { messages: [[{ role: 'user' }], [{ role: 'user' }]] }, 50],
    ['answers times prompts', { n: 5, prompt: ['a', 'b'] }, 10],
  ])('%s', (_what, parts, share) => {
    expect(of({ ...parts, max_tokens: 900, n_predict: 1 })).toEqual({ ...parts, max_tokens: share, n_predict: 1 })
    expect(of({ ...parts, max_tokens: share })).toEqual({ ...parts, max_tokens: share })
  })

  test.each([
    [{ n: 128 }, 'n'],
    [{ best_of: 1e9 }, 'best_of'],
    [{ prompt: Array.from({ length: 101 }, () => 'a') }, 'prompt'],
    [{ n: 20, prompt: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'n'],
  ] as const)('where there is not a token for each, the request is refused', (parts, param) => {
    expect(of({ ...parts, max_tokens: 5 })).toMatchObject({ param, code: 'parameter_not_allowed' })
    expect(of({ ...parts, max_tokens: 5 })).toMatchObject({ message: expect.stringContaining('100 tokens in all') })
    expect(of('{"max_tokens":5,"n":1e400}')).toMatchObject({ param: 'n' })
  })

  test('without a cap in the request there is nothing to share, and with a default there is', () => {
    expect(of({ n: 128 })).toEqual({ n: 128 })
    expect(of({ n: 4 }, { defaults: { max_tokens: 50 } }, CAP)).toEqual({ max_tokens: 25, n: 4 })
    expect(of({ n: 128 }, { defaults: { max_tokens: 50 } }, CAP)).toMatchObject({ param: 'n' })
  })

  test('a clamp of the number of answers comes first', () => {
    const rule: RuleParts = { clamp: { n: { min: undefined, max: 2 } } }
    expect(of({ n: 128, max_tokens: 900 }, CAP, rule)).toEqual({ n: 2, max_tokens: 50 })
  })

  test('what multiplies is taken once, and as a number', () => {
    expect(of('{"max_tokens":5,"n":1,"n":128}')).toMatchObject({ param: 'n', code: 'rules_not_applicable' })
    expect(of('{"max_tokens":5,"prompt":"a","prompt":["a","b"]}')).toMatchObject({ param: 'prompt' })
    expect(of({ max_tokens: 5, n: '128' })).toMatchObject({ param: 'n', code: 'invalid_type' })
    expect(of({ max_tokens: 5, n: true })).toMatchObject({ param: 'n', code: 'invalid_type' })
  })

  test('a form is refused where its answers together would be past the cap', () => {
    const form = (fields: Record<string, readonly string[]>): unknown =>
      orError(() => programAt('things', ALL, CAP).checkForm(new Map(Object.entries(fields))))
    expect(form({ max_tokens: ['50'], n: ['2'] })).toBeUndefined()
    expect(form({ max_tokens: ['51'], n: ['2'] })).toMatchObject({ code: 'rules_not_applicable' })
    expect(form({ max_tokens: ['-1'] })).toMatchObject({ code: 'integer_below_min_value' })
    expect(form({ 'options[num_predict]': ['101'] })).toMatchObject({ code: 'rules_not_applicable' })
  })
})

test('what goes out asks for no more tokens than the maximum, in all answers together, by any word', () => {
  const value = fc.constantFrom<unknown>(0, 1, 5, 99, 101, 5000, -1, 2.5, null, 1e300)
  const member = (paths: readonly string[]) => fc.tuple(fc.constantFrom(...paths), value)
  const body = fc
    .tuple(fc.array(member(ALL.caps), { maxLength: 3 }), fc.array(member(ALL.counts), { maxLength: 2 }), fc.nat(4))
    .map(([caps, counts, prompts]) => {
      const object: Record<string, unknown> =
        prompts === 0 ? {} : { prompt: Array.from({ length: prompts }, () => 'x') }
      for (const [path, number] of [...caps, ...counts]) putAt(object, path, number)
      return object
    })
  let went = 0
  fc.assert(
    fc.property(body, (sent) => {
      const result = of(sent) as Record<string, unknown>
      if ('code' in result) return
      went += 1
      const answers = Math.max(1, ...numbersAt(result, ALL.counts).map(Math.ceil))
      const prompts = Array.isArray(result['prompt']) ? Math.max(1, result['prompt'].length) : 1
      for (const tokens of numbersAt(result, ALL.caps)) {
        expect(tokens).toBeGreaterThanOrEqual(1)
        expect(tokens * answers * prompts).toBeLessThanOrEqual(100)
      }
    }),
    { numRuns: 3000 },
  )
  expect(went).toBeGreaterThan(500)
})

function putAt(object: Record<string, unknown>, path: string, value: unknown): void {
  const [name = '', ...rest] = path.split('.')
  const inner = Object(object[name]) as Record<string, unknown>
  if (rest.length > 0) putAt(inner, rest.join('.'), value)
  object[name] = rest.length > 0 ? inner : value
}

function numbersAt(object: unknown, paths: readonly string[]): readonly number[] {
  const at = (path: string): unknown => path.split('.').reduce<unknown>((inner, name) => Object(inner)[name], object)
  return paths.map(at).filter((value) => typeof value === 'number')
}
