import { describe, expect, test } from 'bun:test'
import { outcome, programOf, type RuleParts } from './rule-programs.ts'

const RANGE = { clamp: { a: { min: 1, max: 5 } } }
const CAP = { clamp: { max_tokens: { min: undefined, max: 10 } } }

describe('clamp', () => {
  test.each<[string, RuleParts[], string, string]>([
    ['brings a number above down', [RANGE], '{"a": 5.1 }', '{"a": 5 }'],
    ['brings a number below up', [RANGE], '{"a":-1}', '{"a":1}'],
    ['brings a number down that is too large for a number', [RANGE], '{"a":1e400}', '{"a":5}'],
    ['keeps the very bytes of a number within', [RANGE], '{"a":1.50e0}', '{"a":1.50e0}'],
    ['keeps the bounds', [RANGE], '{"a":5.0}', '{"a":5.0}'],
    ['leaves a null', [RANGE], '{"a":null}', '{"a":null}'],
    ['leaves what is absent', [RANGE], '{}', '{}'],
    ['reaches into an object', [{ clamp: { 'o.x': { min: undefined, max: 5 } } }], '{"o":{"x":9}}', '{"o":{"x":5}}'],
    ['leaves what is in nothing', [{ clamp: { 'o.x': { min: undefined, max: 5 } } }], '{"o":null}', '{"o":null}'],
    ['takes the lowest maximum', [{ clamp: { a: { min: undefined, max: 3 } } }, RANGE], '{"a":9}', '{"a":3}'],
    [
      'takes the highest minimum of the first rule',
      [{ clamp: { a: { min: 2, max: undefined } } }, RANGE],
      '{"a":0}',
      '{"a":2}',
    ],
    ['takes the highest minimum', [RANGE, { clamp: { a: { min: 2, max: undefined } } }], '{"a":0}', '{"a":2}'],
    ['prefers a maximum to a minimum', [RANGE, { clamp: { a: { min: 7, max: undefined } } }], '{"a":2}', '{"a":5}'],
    [
      'leaves a maximum that is below a minimum',
      [RANGE, { clamp: { a: { min: 7, max: undefined } } }],
      '{"a":5.0}',
      '{"a":5.0}',
    ],
    [
      'of a cap brings each down',
      [CAP],
      '{"max_tokens":11,"max_completion_tokens":99,"max_output_tokens":9}',
      '{"max_tokens":10,"max_completion_tokens":10,"max_output_tokens":9}',
    ],
    ['of a cap is no cap of anything within', [CAP], '{"o":{"max_tokens":11}}', '{"o":{"max_tokens":11}}'],
    [
      'joins the ranges of all caps',
      [CAP, { clamp: { max_output_tokens: { min: 2, max: 20 } } }],
      '{"max_tokens":1,"max_output_tokens":15}',
      '{"max_tokens":2,"max_output_tokens":10}',
    ],
  ])('%s', (_what, rules, body, result) => {
    expect(outcome(programOf(...rules), body)).toBe(result)
  })

  test.each([
    ['"5"', 'a string'],
    ['true', 'a boolean'],
    ['[5]', 'an array'],
    ['{}', 'an object'],
  ])('refuses %s, which is no number', (value, words) => {
    expect(outcome(programOf(CAP), `{"max_tokens":${value}}`)).toEqual({
      message: `Invalid type for 'max_tokens': expected a number, but got ${words} instead.`,
      type: 'invalid_request_error',
      param: 'max_tokens',
      code: 'invalid_type',
    })
  })

  const COUNT = { clamp: { n: { min: undefined, max: 4 } } }
  const SOME = { clamp: { top_logprobs: { min: undefined, max: 5 }, 'o.x': { min: undefined, max: 5 } } }

  test.each<[string, RuleParts, string, number]>([
    ['{"n":-1}', COUNT, 'n', 1],
    ['{"n":0}', COUNT, 'n', 1],
    ['{"n":-0}', COUNT, 'n', 1],
    ['{"n":0.5}', COUNT, 'n', 1],
    ['{"n":-1e400}', COUNT, 'n', 1],
    ['{"best_of":-1}', COUNT, 'best_of', 1],
    ['{"top_logprobs":-1}', SOME, 'top_logprobs', 0],
    ['{"o":{"x":-0.1}}', SOME, 'o.x', 0],
    ['{"max_tokens":5,"n":-1}', CAP, 'n', 1],
    ['{"max_tokens":5,"best_of":0}', CAP, 'best_of', 1],
  ])('with a maximum refuses what is no limit to some servers: %s', (body, rule, param, least) => {
    expect(outcome(programOf(rule), body)).toMatchObject({
      message: expect.stringContaining(`Expected a value >= ${least}, but got`),
      param,
      code: 'integer_below_min_value',
    })
  })

  test.each<[string, RuleParts, string]>([
    ['{"n":4.0}', COUNT, '{"n":4.0}'],
    ['{"n":1e400,"best_of":9}', COUNT, '{"n":4,"best_of":4}'],
    ['{"n":-1}', { clamp: { n: { min: 1, max: 4 } } }, '{"n":1}'],
    ['{"n":-1}', { clamp: { n: { min: -5, max: 4 } } }, '{"n":-1}'],
    ['{"n":9,"best_of":9}', { clamp: { ...COUNT.clamp, best_of: { min: undefined, max: 8 } } }, '{"n":4,"best_of":8}'],
    ['{"top_logprobs":-0}', SOME, '{"top_logprobs":-0}'],
    [
      '{"frequency_penalty":-2}',
      { clamp: { frequency_penalty: { min: undefined, max: 1 } } },
      '{"frequency_penalty":-2}',
    ],
    ['{"seed":-7}', { clamp: { seed: { min: undefined, max: 9 } } }, '{"seed":-7}'],
    [
      '{"logit_bias":{"50256":-9}}',
      { clamp: { 'logit_bias.50256': { min: undefined, max: 5 } } },
      '{"logit_bias":{"50256":-9}}',
    ],
    ['{"a":-1}', { clamp: { a: { min: 1, max: undefined } } }, '{"a":1}'],
  ])('makes of %s what the rule says', (body, rule, result) => {
    expect(outcome(programOf(rule), body)).toBe(result)
  })

  test('refuses what would have to be an object and is none', () => {
    const program = programOf({ clamp: { 'o.x': { min: undefined, max: 5 } } })
    expect(outcome(program, '{"o":[]}')).toMatchObject({ param: 'o.x', code: 'rules_not_applicable' })
  })
})

describe('values', () => {
  const VALUES = { values: { 'response_format.type': ['text', 'json_object'], a: [1, { x: [1] }, 'b'] } }

  test.each([
    '{}',
    '{"a":null}',
    '{"a":1.0}',
    '{"a":{ "x":[1]}}',
    '{"response_format":{"type":"text"}}',
    '{"response_format":"text"}',
  ])('lets %s pass', (body) => {
    expect(outcome(programOf(VALUES), body)).toBe(body)
  })

  test.each([
    [
      '{"response_format":{"type":"x"}}',
      'response_format.type',
      "Unsupported value: 'x' is not supported with this server. Supported values are: 'text', 'json_object'.",
    ],
    [
      '{"a":"1"}',
      'a',
      `Unsupported value: '1' is not supported with this server. Supported values are: 1, {"x":[1]}, 'b'.`,
    ],
    [
      '{"a":[1]}',
      'a',
      `Unsupported value: an array is not supported with this server. Supported values are: 1, {"x":[1]}, 'b'.`,
    ],
    [
      '{"a":{"x":[2],"x":[1]}}',
      'a',
      `Unsupported value: an object is not supported with this server. Supported values are: 1, {"x":[1]}, 'b'.`,
    ],
    [
      `{"a":"${'y'.repeat(10_000)}"}`,
      'a',
      `Unsupported value: '${'y'.repeat(61)}...' is not supported with this server. Supported values are: 1, {"x":[1]}, 'b'.`,
    ],
  ])('refuses %s', (body, param, message) => {
    expect(outcome(programOf(VALUES), body)).toEqual({
      message,
      type: 'invalid_request_error',
      param,
      code: 'unsupported_value',
    })
  })

  test('names ten of many values', () => {
    const program = programOf({ values: { a: Array.from({ length: 12 }, (_, index) => index) } })
    expect(outcome(program, '{"a":99}')).toMatchObject({
      message: expect.stringContaining('Supported values are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more.'),
    })
  })

  test('with `drop` removes a value that is not listed, and a default takes its place', () => {
    const values = { values: { a: [1, 2] }, onViolation: 'drop' } as const
    expect(outcome(programOf(values), '{"b":1,"a":3}')).toBe('{"b":1}')
    expect(outcome(programOf(values, { defaults: { a: 2 } }), '{"b":1,"a":3}')).toBe('{"b":1,"a":2}')
    expect(outcome(programOf(values, { defaults: { a: 9 } }), '{"b":1,"a":3}')).toBe('{"b":1}')
  })

  test('judge what goes out: an override counts', () => {
    expect(outcome(programOf({ values: { a: [1] }, overrides: { a: 1 } }), '{"a":2}')).toBe('{"a":1}')
    expect(outcome(programOf({ values: { a: [{ x: 1 }] }, overrides: { 'a.x': 1 } }), '{"a":{"x":2}}')).toBe(
      '{"a":{"x":1}}',
    )
    expect(outcome(programOf({ values: { a: [{ x: 1 }] }, overrides: { a: { x: 1 } } }), '{"a":3}')).toBe(
      '{"a":{"x":1}}',
    )
  })
})

describe('require', () => {
  test.each([
    ['user', '{}'],
    ['user', '{"user":null}'],
    ['metadata.team', '{"metadata":{}}'],
    ['metadata.team', '{"metadata":"x"}'],
    ['toString', '{}'],
  ])('refuses a request without %s: %s', (name, body) => {
    expect(outcome(programOf({ require: [name] }), body)).toEqual({
      message: `Missing required parameter: '${name}'.`,
      type: 'invalid_request_error',
      param: name,
      code: 'missing_required_parameter',
    })
  })

  test('judges what goes out: a default satisfies it, and a dropped parameter does not', () => {
    expect(outcome(programOf({ require: ['user'] }, { defaults: { user: 'x' } }), '{}')).toBe('{"user":"x"}')
    expect(outcome(programOf({ require: ['user'] }, { drop: ['user'] }), '{"user":"x"}')).toMatchObject({
      param: 'user',
    })
    expect(outcome(programOf({ require: ['user'] }), '{"user":false}')).toBe('{"user":false}')
  })
})
