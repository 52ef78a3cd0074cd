import { describe, expect, test } from 'bun:test'
import { orError, programOf, type RuleParts } from './rule-programs.ts'

function checked(rule: RuleParts, fields: Record<string, readonly string[]>) {
  return orError(() => programOf(rule).checkForm(new Map(Object.entries(fields))))
}

const CLAMP = { clamp: { temperature: { min: 0, max: 1 } } }

describe('a form passes', () => {
  test.each<[string, RuleParts, Record<string, readonly string[]>]>([
    ['where nothing denied is there', { deny: ['prompt'] }, { model: ['whisper-1'] }],
    [
      'where all is allowed',
      { allow: ['model', 'include', 'o.x'] },
      { model: ['m'], 'include[]': ['a', 'b'], 'o[x]': ['1'] },
    ],
    ['with a number in its range', CLAMP, { temperature: ['0.5'] }],
    ['without the number', CLAMP, {}],
    ['with a text that is listed', { values: { language: ['en', 'de'] } }, { language: ['en'] }],
    ['with a number that is listed', { values: { n: [1, 2] } }, { n: ['2'] }],
    ['with a truth value that is listed', { values: { stream: [false] } }, { stream: ['false'] }],
    ['with a list that is listed', { values: { include: [['logprobs', 1]] } }, { 'include[]': ['logprobs', '1'] }],
    ['with what is required', { require: ['model', 'o.x'] }, { model: ['m'], 'o[x]': ['1'] }],
    ['where a default is not needed', { defaults: { model: 'm' } }, { model: ['n'] }],
    ['where an override is there already', { overrides: { n: 2, model: 'm' } }, { n: ['2'], model: ['m'] }],
    ['without what would be dropped', { drop: ['prompt'] }, { model: ['m'] }],
    ['without what would be renamed', { rename: { a: 'b' } }, { b: ['1'] }],
    ['with twice what no rule names', { deny: ['prompt'] }, { model: ['m', 'n'] }],
    ['with denied text that a rule puts in', { deny: ['n'], defaults: { n: 2 } }, { n: ['2'] }],
  ])('%s', (_what, rule, fields) => {
    expect(checked(rule, fields)).toBeUndefined()
  })
})

describe('a form is refused where a rule would have to change it', () => {
  test.each<[string, RuleParts, Record<string, readonly string[]>, string]>([
    ['by a default', { defaults: { language: 'en' } }, {}, 'language'],
    ['by an override', { overrides: { language: 'en' } }, { language: ['de'] }, 'language'],
    ['by a drop', { drop: ['prompt'] }, { prompt: ['x'] }, 'prompt'],
    ['by a rename', { rename: { a: 'b' } }, { a: ['1'] }, 'a'],
    ['by a range', CLAMP, { temperature: ['1.5'] }, 'temperature'],
    ['by a denial that drops', { deny: ['prompt'], onViolation: 'drop' }, { prompt: ['x'] }, 'prompt'],
    ['by a list that drops', { allow: ['model'], onViolation: 'drop' }, { 'o[x]': ['x'] }, 'o'],
    ['by values that drop', { values: { n: [1] }, onViolation: 'drop' }, { n: ['2'] }, 'n'],
    ['within a text', { deny: ['o.x'] }, { o: ['{"x":1}'] }, 'o'],
    ['within a text within another', { deny: ['o.x.y'] }, { 'o[x]': ['{"y":1}'] }, 'o.x'],
  ])('%s', (_what, rule, fields, param) => {
    expect(checked(rule, fields)).toEqual({
      message: `This server's rule for '${param}' cannot be applied to a form.`,
      type: 'invalid_request_error',
      param,
      code: 'rules_not_applicable',
    })
  })

  test.each<[string, Record<string, readonly string[]>]>([
    ['the same name', { 'o.x': ['1', '2'] }],
    ['another spelling', { 'o.x': ['1'], 'o[x]': ['1'] }],
    ['a text and a parent', { 'o[x]': ['1'], o: ['1'] }],
    ['a list and a parent', { 'o[]': ['1'], 'o[x]': ['1'] }],
  ])('or it cannot be told which of two fields counts: %s', (_what, fields) => {
    expect(checked({ require: ['o.x'] }, fields)).toMatchObject({
      code: 'rules_not_applicable',
      param: expect.stringMatching(/^o/),
    })
  })
})

test('a form is refused like any request where it may not have what it has', () => {
  expect(checked({ deny: ['prompt'] }, { prompt: ['x'] })).toMatchObject({
    code: 'parameter_not_allowed',
    param: 'prompt',
  })
  expect(checked({ deny: ['o.x'] }, { 'o[x]': ['x'] })).toMatchObject({ code: 'parameter_not_allowed', param: 'o.x' })
  expect(checked({ allow: ['model'] }, { prompt: ['x'] })).toMatchObject({
    code: 'parameter_not_allowed',
    param: 'prompt',
  })
  expect(checked({ deny: ['__proto__'] }, Object.fromEntries([['__proto__', ['x']]]))).toMatchObject({
    param: '__proto__',
  })
  expect(checked({ values: { n: [1] } }, { n: ['2'] })).toMatchObject({ code: 'unsupported_value', param: 'n' })
  expect(checked({ require: ['language'] }, {})).toMatchObject({
    code: 'missing_required_parameter',
    param: 'language',
  })
  expect(checked(CLAMP, { temperature: ['hot'] })).toMatchObject({
    code: 'invalid_type',
    message: "Invalid type for 'temperature': expected a number, but got a string instead.",
  })
})

test.each([
  'Max_Tokens',
  'MAX_TOKENS',
  'maxTokens',
  'max.tokens',
  'max tokens',
  'Max_Tokens[]',
  '[Max_Tokens]',
  'max-tokens[0]',
])('a field %j is refused where a rule is about max_tokens: some servers take the one for the other', (name) => {
  for (const rule of [{ clamp: { max_tokens: { min: undefined, max: 5 } } }, { deny: ['max_tokens'] }]) {
    expect(checked(rule, { [name]: ['9'] })).toMatchObject({ code: 'rules_not_applicable', param: name })
  }
})

test.each(['max_tokens[]', 'max_tokens[0]', '[max_tokens]', 'max_tokens[', 'max_tokens.'])(
  'a field %j is max_tokens to some servers, and so to the rules',
  (name) => {
    expect(checked({ clamp: { max_tokens: { min: undefined, max: 5 } } }, { [name]: ['9'] })).toMatchObject({
      param: 'max_tokens',
    })
    expect(checked({ deny: ['max_tokens'] }, { [name]: ['9'] })).toMatchObject({ code: 'parameter_not_allowed' })
  },
)

test('a field within another is refused where a rule has it in another spelling', () => {
  const rule = { deny: ['chunking_strategy.type'] }
  for (const name of ['chunking_strategy[Type]', 'Chunking_Strategy[type]', 'chunking_strategy[type]']) {
    expect(checked(rule, { [name]: ['x'] })).toMatchObject({ code: expect.stringMatching(/not/) })
  }
  expect(checked(rule, { 'chunking_strategy[size]': ['x'] })).toBeUndefined()
})
