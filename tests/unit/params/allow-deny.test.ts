import { describe, expect, test } from 'bun:test'
import { outcome, programOf, type RuleParts } from './rule-programs.ts'

function notAllowed(param: string) {
  return {
    message: `Parameter '${param}' is not allowed by this server.`,
    type: 'invalid_request_error',
    param,
    code: 'parameter_not_allowed',
  }
}

const DROP = { onViolation: 'drop' } as const

describe('deny', () => {
  test.each<[string, RuleParts, string, string]>([
    ['a parameter', { deny: ['logit_bias'] }, '{"logit_bias":{}}', 'logit_bias'],
    ['a null, too', { deny: ['logit_bias'] }, '{"logit_bias":null}', 'logit_bias'],
    ['a name that is written with escapes', { deny: ['logit_bias'] }, '{"logit\\u005fbias":1}', 'logit_bias'],
    ['one within another', { deny: ['o.x'] }, '{"o":{"x":1}}', 'o.x'],
    ['a name of the language', { deny: ['__proto__'] }, '{"__proto__":1}', '__proto__'],
    ['its old name', { deny: ['a'], rename: { a: 'b' } }, '{"a":1}', 'a'],
    ['the name that it gets', { deny: ['b'], rename: { a: 'b' } }, '{"a":1}', 'a'],
    ['a name that it gets on the way to another', { deny: ['b'], rename: { a: 'b', b: 'c' } }, '{"a":1}', 'a'],
    ['one in what gets another name', { deny: ['p.x'], rename: { o: 'p' } }, '{"o":{"x":1}}', 'o.x'],
  ])('refuses %s', (_what, rule, body, param) => {
    expect(outcome(programOf(rule), body)).toEqual(notAllowed(param))
  })

  test.each<[string, RuleParts, string]>([
    ['absent', { deny: ['logit_bias'] }, '{"a":1}'],
    ['a name that all objects have', { deny: ['constructor'] }, '{"a":1}'],
    ['the new name of a denied one', { deny: ['a'], rename: { a: 'b' } }, '{"b":1}'],
    ['within something that is no object', { deny: ['o.x'] }, '{"o":[{"x":1}]}'],
    ['within a string', { deny: ['o.length'] }, '{"o":"text"}'],
    ['what a default puts in', { deny: ['a'], defaults: { a: { x: 1 } } }, '{"a":{ "x" : 1 }}'],
    ['what an override puts in', { deny: ['a'], overrides: { a: 5 } }, '{"a":5.0}'],
    ['part of what a default puts in', { deny: ['a.x'], defaults: { a: { x: 1, y: 2 } } }, '{"a":{"x":1}}'],
    [
      'what a default becomes in its range',
      { deny: ['a'], defaults: { a: 9 }, clamp: { a: { min: 0, max: 5 } } },
      '{"a":5}',
    ],
    [
      'what a default puts in under a new name',
      { deny: ['a'], rename: { a: 'b' }, defaults: { a: 1 }, drop: ['c'] },
      '{"b":1}',
    ],
  ])('lets pass what is %s', (_what, rule, body) => {
    expect(outcome(programOf(rule), body)).toBe(body)
  })

  test('is not taken in by a value that only looks like a default to one that reads the last of two names', () => {
    const program = programOf({ deny: ['a'], defaults: { a: { x: 1 } } })
    expect(outcome(program, '{"a":{"x":5,"x":1}}')).toEqual(notAllowed('a'))
  })

  test.each<[string, RuleParts, string, string]>([
    ['removes a parameter', { ...DROP, deny: ['a'] }, '{"a":1,"b":2}', '{"b":2}'],
    ['removes one within another', { ...DROP, deny: ['o.x'] }, '{"o":{"x":1}, "b":2}', '{"o":{}, "b":2}'],
    ['lets a default take its place', { ...DROP, deny: ['a'], defaults: { a: 5 } }, '{"a":1}', '{"a":5}'],
    ['removes before it renames', { ...DROP, deny: ['a'], rename: { a: 'b' } }, '{"a":1}', '{}'],
  ])('with `drop` %s', (_what, rule, body, result) => {
    expect(outcome(programOf(rule), body)).toBe(result)
  })
})

describe('allow', () => {
  const allow = ['model', 'response_format.type']

  test.each<[string, RuleParts, string, string]>([
    ['a name that is not listed', { allow }, '{"model":"m","x":1}', 'x'],
    ['a name with a dot, which is no path', { allow }, '{"response_format.type":1}', 'response_format.type'],
    ['a child that is not listed', { allow }, '{"response_format":{"type":"text","x":1}}', 'response_format.x'],
    ['a parent that is no object', { allow }, '{"response_format":"text"}', 'response_format'],
    ['a parent that is a list', { allow }, '{"response_format":[]}', 'response_format'],
    ['a null with a name that is not listed', { allow }, '{"x":null}', 'x'],
    ['everything where nothing is listed', { allow: [] }, '{"x":1}', 'x'],
    ['a name of the language', { allow }, '{"__proto__":1}', '__proto__'],
    ['a very long name, and cuts it', { allow }, `{"${'x'.repeat(1000)}":1}`, `${'x'.repeat(61)}...`],
  ])('refuses %s', (_what, rule, body, param) => {
    expect(outcome(programOf(rule), body)).toEqual(notAllowed(param))
  })

  test.each<[string, RuleParts, string]>([
    ['listed, with its listed child', { allow }, '{"model":"m","response_format":{"type":"text"}}'],
    ['a parent of listed ones that is null', { allow }, '{"response_format":null}'],
    ['anything within a listed name', { allow: ['o'] }, '{"o":{"x":{"y":1}}}'],
    ['put in by a default', { allow: [], defaults: { a: 5 } }, '{"a":5}'],
    ['put in by a default within another', { allow: ['o.y'], defaults: { 'o.x': 1 } }, '{"o":{"x":1,"y":2}}'],
  ])('lets pass what is %s', (_what, rule, body) => {
    expect(outcome(programOf(rule), body)).toBe(body)
  })

  test.each<[string, RuleParts, string, string]>([
    ['the new name of a listed one', { allow: ['a'], rename: { a: 'b' } }, '{"b":1}', '{"b":1}'],
    ['the old name of a listed one', { allow: ['b'], rename: { a: 'b' } }, '{"a":1}', '{"b":1}'],
    ['both of them', { allow: ['b'], rename: { a: 'b' } }, '{"a":1,"b":2}', '{"b":2}'],
    ['a name within a renamed one', { allow: ['o.x'], rename: { o: 'p' } }, '{"p":{"x":1}}', '{"p":{"x":1}}'],
  ])('admits %s', (_what, rule, body, result) => {
    expect(outcome(programOf(rule), body)).toBe(result)
  })

  test('of several rules each has to admit a parameter', () => {
    const program = programOf({ allow: ['a', 'b'] }, { allow: ['b', 'c'] })
    expect(outcome(program, '{"b":1}')).toBe('{"b":1}')
    expect(outcome(program, '{"a":1}')).toEqual(notAllowed('a'))
    expect(outcome(program, '{"c":1}')).toEqual(notAllowed('c'))
  })

  test('with `drop` removes what is not listed, all of its members', () => {
    const program = programOf({ ...DROP, allow: ['a', 'o.x'] })
    expect(outcome(program, '{"u":1, "a":2, "u":3, "o":{"y":1,"x":2,"y":3}, "v":4}')).toBe('{"a":2, "o":{"x":2}}')
  })

  test('with `drop` is not taken in by two equal names within what a default puts in', () => {
    const program = programOf({ ...DROP, allow: ['o.y'], defaults: { o: { x: 1 } } })
    expect(outcome(program, '{"o":{"x":5,"x":1}}')).toBe('{"o":{}}')
  })
})

test('a model that is not admitted is refused and never removed: nobody would know where the rest should go', () => {
  const body = '{"model":"m","a":1}'
  expect(outcome(programOf({ ...DROP, allow: ['a'] }), body)).toEqual(notAllowed('model'))
  expect(outcome(programOf({ ...DROP, values: { model: ['n'] } }), body)).toMatchObject({ code: 'unsupported_value' })
  expect(outcome(programOf({ ...DROP, allow: ['model'], values: { model: ['m'] } }), body)).toBe('{"model":"m"}')
})
