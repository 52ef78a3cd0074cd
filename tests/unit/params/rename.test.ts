import { expect, test } from 'bun:test'
import { outcome, programOf, type RuleParts } from './rule-programs.ts'

const RENAME = { rename: { max_tokens: 'max_completion_tokens' } }
const CAP = { clamp: { max_tokens: { min: undefined, max: 10 } } }
const A_B = { rename: { a: 'b' } }
const B_C = { rename: { b: 'c' } }

test.each<[string, RuleParts[], string, string]>([
  [
    'keeps the value, its place and the whitespace',
    [A_B],
    '{ "x":1, "a" : 5.0 , "y":2}',
    '{ "x":1, "b" : 5.0 , "y":2}',
  ],
  ['moves an object as it is', [A_B], '{"a":{ "x":[ 1.0 ]}}', '{"b":{ "x":[ 1.0 ]}}'],
  ['moves a null', [A_B], '{"a":null}', '{"b":null}'],
  ['leaves a body without the name alone', [A_B], '{"b": 1}', '{"b": 1}'],
  ['keeps the new name where both are there', [A_B], '{"a":1,"b":2}', '{"b":2}'],
  ['takes a null for absent where both are there', [A_B], '{"b":null,"a":1}', '{"b":1}'],
  ['removes an old null where both are there', [A_B], '{"b":1,"a":null}', '{"b":1}'],
  ['leaves one null where both are', [A_B], '{"a":null,"b":null}', '{"b":null}'],
  ['within another stays there', [{ rename: { 'o.x': 'o.y' } }], '{"x":1,"o":{"x":2}}', '{"x":1,"o":{"y":2}}'],
  ['in a chain ends with the last name', [A_B, B_C], '{"a":1}', '{"c":1}'],
  ['in a chain ends with the last name, whichever rule comes first', [B_C, A_B], '{"a":1}', '{"c":1}'],
  ['in a chain keeps the name that is furthest', [B_C, A_B], '{"a":1,"b":2}', '{"c":2}'],
  ['of one name by two rules is the first one’s', [A_B, { rename: { a: 'c' } }], '{"a":1}', '{"b":1}'],
  ['of two names to one keeps the first rule’s', [{ rename: { x: 'c' } }, B_C], '{"b":1,"x":2}', '{"c":2}'],
  [
    'of an outer and an inner name does both',
    [{ rename: { 'o.x': 'o.y' } }, { rename: { o: 'p' } }],
    '{"o":{"x":1}}',
    '{"p":{"y":1}}',
  ],
  [
    'into a name of the language takes it for a name',
    [{ rename: { a: '__proto__' } }],
    '{"a":{"x":1}}',
    '{"__proto__":{"x":1}}',
  ],
  ['makes a cap of the old name one of the new', [RENAME, CAP], '{"max_tokens":99}', '{"max_completion_tokens":10}'],
  ['does so where the cap comes first, too', [CAP, RENAME], '{"max_tokens":99}', '{"max_completion_tokens":10}'],
  [
    'caps what was sent with the new name',
    [CAP, RENAME],
    '{"max_completion_tokens":99}',
    '{"max_completion_tokens":10}',
  ],
  ['keeps a cap on a name of its own', [CAP, { rename: { max_tokens: 'limit' } }], '{"max_tokens":99}', '{"limit":10}'],
  [
    'of an inner name holds in the new name of the outer one, whichever comes first',
    [{ rename: { 'o.x': 'o.y' } }, { rename: { o: 'p' } }],
    '{"p":{"x":1}}',
    '{"p":{"y":1}}',
  ],
  [
    'leaves a cap what it is, whichever cap a rule names',
    [{ clamp: { max_output_tokens: { min: undefined, max: 10 } } }, { rename: { max_tokens: 'limit' } }],
    '{"max_tokens":99}',
    '{"limit":10}',
  ],
  ['makes a default one of the new name', [A_B, { defaults: { a: 5 } }], '{}', '{"b":5}'],
  ['makes an override one of the new name', [A_B, { overrides: { a: 5 } }], '{"b":1}', '{"b":5}'],
  [
    'makes an inner default one of the new name',
    [{ rename: { o: 'p' }, defaults: { 'o.x': 5 } }],
    '{}',
    '{"p":{"x":5}}',
  ],
  ['makes a drop one of the new name', [A_B, { drop: ['a'] }], '{"b":1}', '{}'],
  ['is satisfied by a requirement of the old name', [A_B, { require: ['a'] }], '{"a":1}', '{"b":1}'],
  [
    'holds within what a default puts in',
    [{ rename: { 'o.x': 'o.y' }, defaults: { o: { x: 1 } } }],
    '{}',
    '{"o":{"y":1}}',
  ],
])('a rename %s', (_what, rules, body, result) => {
  expect(outcome(programOf(...rules), body)).toBe(result)
})

test('a renamed parameter is called what the caller calls it where it is refused', () => {
  const program = programOf(RENAME, CAP, { values: { a: ['x'] }, ...A_B })
  expect(outcome(program, '{"max_tokens":"many"}')).toMatchObject({ param: 'max_tokens', code: 'invalid_type' })
  expect(outcome(programOf({ values: { b: ['x'] }, ...A_B }), '{"a":"y"}')).toMatchObject({ param: 'a' })
})

test('renames in a circle, which no configuration file can have, come to an end', () => {
  expect(outcome(programOf(A_B, { rename: { b: 'a' } }), '{"a":1}')).toBe('{"a":1}')
})
