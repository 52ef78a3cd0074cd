import { expect, test } from 'bun:test'
import { outcome, programOf, type RuleParts } from './rule-programs.ts'

test.each<[string, RuleParts, string, string]>([
  ['a denied one', { deny: ['a'], onViolation: 'drop' }, '{"a":1,"a":1}', 'a'],
  ['an allowed one', { allow: ['a'] }, '{"a":1,"a":1}', 'a'],
  ['one spelt in two ways', { drop: ['max_tokens'] }, '{"max_tokens":1,"max\\u005ftokens":1}', 'max_tokens'],
  ['the parent of one', { require: ['o.x'] }, '{"o":{"x":1},"o":{"x":1}}', 'o'],
  ['one within another', { values: { 'o.x': [1] } }, '{"o":{"x":5,"x":1}}', 'o.x'],
  ['one that gets another name', { rename: { a: 'b' } }, '{"a":1,"a":1}', 'a'],
  ['the new name', { rename: { a: 'b' } }, '{"b":1,"b":1}', 'b'],
  [
    'one that has the old name of a parent',
    { rename: { o: 'p' }, defaults: { 'p.x': 1 } },
    '{"o":{"x":1,"x":1}}',
    'o.x',
  ],
  [
    'another cap on tokens',
    { clamp: { max_tokens: { min: 1, max: 5 } } },
    '{"max_output_tokens":9,"max_output_tokens":1}',
    'max_output_tokens',
  ],
  [
    'another cap on tokens of a default',
    { defaults: { max_tokens: 5 } },
    '{"max_output_tokens":9,"max_output_tokens":1}',
    'max_output_tokens',
  ],
  [
    'the model that a rule asks for',
    { match: { model: ['gpt-*'] }, drop: ['a'] },
    '{"model":"gpt-4","model":"gpt-4"}',
    'model',
  ],
  ['a name of the language', { drop: ['__proto__'] }, '{"__proto__":1,"__proto__":1}', '__proto__'],
])('a name that a rule names is taken only once: %s', (_what, rule, body, param) => {
  expect(outcome(programOf(rule), body)).toEqual({
    message: `Parameter '${param}' occurs more than once. This server has a rule for it and takes it only once.`,
    type: 'invalid_request_error',
    param,
    code: 'rules_not_applicable',
  })
})

test('names that no rule names may occur as often as they like, and go on so', () => {
  const program = programOf({ overrides: { 'o.x': 1 } })
  expect(outcome(program, '{"u":1,"u":2,"o":{"v":1,"v":2}}')).toBe('{"u":1,"u":2,"o":{"x":1,"v":1,"v":2}}')
  expect(outcome(programOf({ drop: ['a'] }), '{"u":1,"u":2}')).toBe('{"u":1,"u":2}')
})
