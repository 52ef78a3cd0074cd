import { describe, expect, test } from 'bun:test'
import { applied, outcome, programOf, type RuleParts } from './rule-programs.ts'

function parentRefused(path: string, parent: string) {
  return {
    message: `This server's rule for '${path}' cannot be applied, because '${parent}' is not an object.`,
    type: 'invalid_request_error',
    param: path,
    code: 'rules_not_applicable',
  }
}

describe('drop', () => {
  test.each<[string, RuleParts, string, string]>([
    ['removes a parameter with its comma', { drop: ['a'] }, '{"x":1, "a":{"b":"}"}, "y":2}', '{"x":1, "y":2}'],
    ['removes several', { drop: ['a', 'b'] }, '{"a":1,"b":2}', '{}'],
    ['removes a null', { drop: ['a'] }, '{"a":null}', '{}'],
    ['removes one within another', { drop: ['o.x'] }, '{"o":{"x":1,"y":1.0}}', '{"o":{"y":1.0}}'],
    ['does not go into lists', { drop: ['o.x'] }, '{"o":[{"x":1}]}', '{"o":[{"x":1}]}'],
    ['leaves what is not there', { drop: ['toString', 'o.x'] }, '{"a": 1}', '{"a": 1}'],
    ['comes before the defaults of its rule', { drop: ['a'], defaults: { a: 2 } }, '{"a":1}', '{"a":2}'],
  ])('%s', (_what, rule, body, result) => {
    expect(outcome(programOf(rule), body)).toBe(result)
  })
})

describe('defaults', () => {
  test.each<[string, RuleParts[], string, string]>([
    ['are put in first, where a parameter is absent', [{ defaults: { a: 0.7 } }], '{ "b":1 }', '{"a":0.7, "b":1 }'],
    ['are put into an empty body', [{ defaults: { a: 0.7, b: [1, { x: 'ü' }] } }], '{}', '{"a":0.7,"b":[1,{"x":"ü"}]}'],
    ['take the place of a null', [{ defaults: { a: 1 } }], '{"b":2,"a":null}', '{"b":2,"a":1}'],
    ['leave what is there', [{ defaults: { a: 1 } }], '{"a":2.0}', '{"a":2.0}'],
    ['are the first rule’s', [{ defaults: { a: 1 } }, { defaults: { a: 2 } }], '{}', '{"a":1}'],
    ['may be null', [{ defaults: { a: null } }], '{}', '{"a":null}'],
    ['take a null for absent, also one that is a default', [{ defaults: { a: null } }], '{"a":null}', '{"a":null}'],
    ['make the objects around them', [{ defaults: { 'o.x.y': 1 } }], '{}', '{"o":{"x":{"y":1}}}'],
    ['make an object of a null', [{ defaults: { 'o.x': 1 } }], '{"o":null}', '{"o":{"x":1}}'],
    [
      'are put into the object that is there',
      [{ defaults: { 'o.x': 1 } }],
      '{"o":{ "y":1.0}}',
      '{"o":{"x":1, "y":1.0}}',
    ],
    [
      'are put into what another puts in',
      [{ defaults: { o: { y: 2 } } }, { defaults: { 'o.x': 1 } }],
      '{}',
      '{"o":{"y":2,"x":1}}',
    ],
    ['take names of the language for names', [{ defaults: { constructor: 1 } }], '{}', '{"constructor":1}'],
    ['stay in their range', [{ defaults: { a: 9 } }, { clamp: { a: { min: 0, max: 5 } } }], '{}', '{"a":5}'],
    ['of a cap are put in where no other is', [{ defaults: { max_tokens: 5 } }], '{}', '{"max_tokens":5}'],
    [
      'of a cap are not put in beside another',
      [{ defaults: { max_tokens: 5 } }],
      '{"max_completion_tokens":7}',
      '{"max_completion_tokens":7}',
    ],
    [
      'of a cap are put in beside a word that is none for certain at this endpoint',
      [{ defaults: { max_tokens: 5 } }],
      '{"max_output_tokens":7}',
      '{"max_tokens":5,"max_output_tokens":7}',
    ],
    [
      'of a cap take a null of another for absent',
      [{ defaults: { max_tokens: 5 } }],
      '{"max_completion_tokens":null}',
      '{"max_tokens":5,"max_completion_tokens":null}',
    ],
    [
      'of several caps are the first one’s',
      [{ defaults: { max_tokens: 5, max_output_tokens: 6 } }],
      '{}',
      '{"max_tokens":5}',
    ],
    [
      'that a drop takes a part of are what is left',
      [{ drop: ['o.x'] }, { defaults: { o: { x: 1, y: 2 } } }],
      '{}',
      '{"o":{"y":2}}',
    ],
  ])('%s', (_what, rules, body, result) => {
    expect(outcome(programOf(...rules), body)).toBe(result)
  })

  test.each(['{"o":1}', '{"o":"x"}', '{"o":[]}', '{"o":false}'])(
    'are refused where they would have to stand in %s',
    (body) => {
      expect(outcome(programOf({ defaults: { 'o.x': 1 } }), body)).toEqual(parentRefused('o.x', 'o'))
    },
  )

  test('take `__proto__` for a name like any other, also on the way to one', () => {
    const defaults = JSON.parse('{"__proto__.x":1}') as Record<string, number>
    expect(outcome(programOf({ defaults }), '{}')).toBe('{"__proto__":{"x":1}}')
    expect(outcome(programOf({ defaults }), '{"__proto__":{"y":2}}')).toBe('{"__proto__":{"x":1,"y":2}}')
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('overrides', () => {
  test.each<[string, RuleParts[], string, string]>([
    ['take the place of what is there', [{ overrides: { a: 'x' } }], '{"b":1, "a" : [1] }', '{"b":1, "a" : "x" }'],
    ['are put in where a parameter is absent', [{ overrides: { a: 1 } }], '{}', '{"a":1}'],
    ['leave the bytes of an equal number', [{ overrides: { a: 1 } }], '{"a":1.0}', '{"a":1.0}'],
    [
      'leave the bytes of an equal object',
      [{ overrides: { a: { x: 1, y: 2 } } }],
      '{"a":{ "y":2, "x":1}}',
      '{"a":{ "y":2, "x":1}}',
    ],
    [
      'replace an object with two equal names',
      [{ overrides: { a: { x: 1 } } }],
      '{"a":{"x":5,"x":1}}',
      '{"a":{"x":1}}',
    ],
    ['are the last rule’s', [{ overrides: { a: 1 } }, { overrides: { a: 2 } }], '{}', '{"a":2}'],
    ['go before the defaults of an earlier rule', [{ defaults: { a: 1 } }, { overrides: { a: 2 } }], '{}', '{"a":2}'],
    ['reach into an object', [{ overrides: { 'o.x': 1 } }], '{"o":{"x":2 ,"y":1e0}}', '{"o":{"x":1 ,"y":1e0}}'],
    ['make the objects around them', [{ overrides: { 'o.x': 1 } }], '{"o":null}', '{"o":{"x":1}}'],
    [
      'of a cap set each that is there',
      [{ overrides: { max_tokens: 5 } }],
      '{"max_completion_tokens":9,"max_output_tokens":1}',
      '{"max_completion_tokens":5,"max_output_tokens":5}',
    ],
    [
      'of a cap set their own where none is there',
      [{ overrides: { max_tokens: 5 } }],
      '{"max_completion_tokens":null}',
      '{"max_tokens":5,"max_completion_tokens":null}',
    ],
    ['stay in their range', [{ clamp: { a: { min: 0, max: 5 } } }, { overrides: { a: 9 } }], '{"a":1}', '{"a":5}'],
  ])('%s', (_what, rules, body, result) => {
    expect(outcome(programOf(...rules), body)).toBe(result)
  })

  test('are refused where they would have to stand in what is no object', () => {
    expect(outcome(programOf({ overrides: { 'o.x.y': 1 } }), '{"o":{"x":"text"}}')).toEqual(
      parentRefused('o.x.y', 'o.x'),
    )
  })
})

test('rules that undo what they do come to an end, and the second time changes nothing', () => {
  const program = programOf(
    { drop: ['a'] },
    { defaults: { a: 5 } },
    { drop: ['max_tokens'] },
    { overrides: { max_output_tokens: 1 } },
  )
  const once = outcome(program, '{"a":1,"max_tokens":7}')
  expect(once).toBe('{"max_output_tokens":1,"a":5}')
  expect(applied(program, String(once))).toMatchObject({ edits: [], receipt: '', steps: [] })
})

test('rules that need a third time to come to rest get it', () => {
  const program = programOf(
    { drop: ['a.x'] },
    { defaults: { a: { x: 1 } } },
    { values: { a: [{}, { x: 1 }] }, onViolation: 'drop' },
  )
  expect(outcome(program, '{"a":5}')).toBe('{"a":{}}')
  expect(outcome(program, '{"a":{}}')).toBe('{"a":{}}')
})

test('everything that no rule names stays byte for byte', () => {
  const body = '\uFEFF\n{ "big":12345678901234567890.10, "a":1,\t"u":1,"u":{"u":1,"u":2}, "t":"\\u0061\\/é" }\r\n'
  expect(outcome(programOf({ overrides: { a: 2 } }), body)).toBe(body.replace('"a":1', '"a":2'))
})

test.each(['[]', '"text"', '1', 'null', 'true'])('a body that is %s and no object is refused', (body) => {
  expect(outcome(programOf({ require: ['a'] }), body)).toEqual({
    message: 'This server has rules for the parameters of this request, and its body is not a JSON object.',
    type: 'invalid_request_error',
    param: null,
    code: 'rules_not_applicable',
  })
})

test('a parameter that is nested too deeply to be written or compared is handled like any other', () => {
  const deep = `${'{"x":'.repeat(200_000)}1${'}'.repeat(200_000)}`
  const body = `{"a":${deep},"b":1}`
  expect(outcome(programOf({ deny: ['a'], defaults: { a: { x: 1 } } }), body)).toMatchObject({ param: 'a' })
  expect(outcome(programOf({ values: { a: [{ x: 1 }] } }), body)).toMatchObject({ param: 'a' })
  expect(outcome(programOf({ defaults: { 'a.x.y': 1 } }), body)).toBe(body.replace('{"x":{', '{"x":{"y":1,'))
  const { text, steps } = applied(programOf({ overrides: { a: { x: 1 } } }, { drop: ['b'] }), body)
  expect([text, steps.length]).toEqual(['{"a":{"x":1}}', 2])
})
