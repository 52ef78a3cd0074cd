import { describe, expect, test } from 'bun:test'
import { canonicalInSteps, canonicalJson } from '../../../../src/formats/json/canonical-json.ts'
import { cpuMs } from '../../../helpers/cpu-time.ts'
import { bytesOf } from './json-texts.ts'

const canonical = (text: string): string | Uint8Array => canonicalJson(bytesOf(text))

describe('the canonical form', () => {
  test.each([
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    [' {\r\n\t"b" : [ 1 , 2 ] , "a" : { } } \n', '{"a":{},"b":[1,2]}'],
    ['{"z":{"y":{"d":1,"c":[{"b":1,"a":2}]},"x":3}}', '{"z":{"x":3,"y":{"c":[{"a":2,"b":1}],"d":1}}}'],
    ['[ { "b" : 1 } , { } , [ ] , [ [ ] ] ]', '[{"b":1},{},[],[[]]]'],
    ['"\\u0041\\/\\n\\u00e9\\u2028"', '"A/\\né\u2028"'],
    ['"\\ud83d\\ude00 \\uD800"', '"😀 \\ud800"'],
    ['{"\\u0062":1,"a":2}', '{"a":2,"b":1}'],
    ['[1,1.0,1.00,1e2,1E2,-0,9007199254740993]', '[1,1.0,1.00,1e2,1E2,-0,9007199254740993]'],
    ['[ true , false , null ]', '[true,false,null]'],
    ['\ufeff{"a":1}', '{"a":1}'],
    ['""', '""'],
    ['"a \\" , b"', '"a \\" , b"'],
    ['["\\\\","\\\\\\"]","x"]', '["\\\\","\\\\\\"]","x"]'],
    ['{"a":"a long text without escapes, well past the near ones","b":"\\t"}', undefined],
  ])('of %p', (text, expected) => {
    expect(canonical(text)).toBe(expected ?? text)
  })

  test('keeps each member of a name that occurs more than once, in their order', () => {
    expect(canonical('{"b":0,"a":1,"a":2}')).toBe('{"a":1,"a":2,"b":0}')
    expect(canonical('{"\\u0061":2,"b":0,"a":1}')).toBe('{"a":2,"a":1,"b":0}')
    expect(canonical('{"a":1}')).not.toBe(canonical('{"a":1,"a":1}'))
  })

  test('tells two integers past 2^53 apart that are one double', () => {
    expect(canonical('{"seed":9007199254740993}')).not.toBe(canonical('{"seed":9007199254740992}'))
  })
})

test.each([
  '',
  ' ',
  '{',
  '[',
  '[1',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1}',
  '{"a":1]',
  '{"a"}',
  '{"a" 1}',
  '{"a":}',
  '{"a":1,}',
  '{"a":1,"b"',
  '{a:1}',
  '{,}',
  '1 2',
  '{} {}',
  '"a',
  '"a\\"',
  '"a long text without an end, well past the near ones',
  '"\\x"',
  '"\\u12"',
  'tr"ue',
  '[ü]',
  '\u00a01',
])('what is no JSON is its own form: %p', (text) => {
  const bytes = bytesOf(text)
  expect(canonicalJson(bytes)).toBe(bytes)
})

test('bytes that are no UTF-8 are their own form, so that two of them stay two', () => {
  const bytes = new Uint8Array([0x22, 0xff, 0x22])
  expect(canonicalJson(bytes)).toBe(bytes)
})

test('the form of the form is the form', () => {
  const once = canonical('{"b": ["\\u0041", {"d":1, "c":2.50}], "a": null}') as string
  expect(canonical(once)).toBe(once)
})

test('very deep values cost no stack, and no time beyond their length', () => {
  const depth = 200_000
  const arrays = '['.repeat(depth) + ']'.repeat(depth)
  expect(canonical(arrays)).toBe(arrays)
  const objects = `${'{"b":'.repeat(depth)}0${',"a":1}'.repeat(depth)}`
  expect(canonical(objects)).toBe(`${'{"a":1,"b":'.repeat(depth)}0${'}'.repeat(depth)}`)
})

test('many escapes and many quotes cost no time beyond their length', () => {
  const startedAt = cpuMs()
  const escapes = `["${'\\"'.repeat(200_000)}"]`
  expect(canonical(escapes)).toBe(escapes)
  const strings = `[${'"a",'.repeat(200_000)}"\\t"]`
  expect(canonical(strings)).toBe(strings)
  // A search from each of them to the end would take minutes.
  expect(cpuMs() - startedAt).toBeLessThan(10_000)
})

test.each([
  ['1,000 levels', '['.repeat(1000) + ']'.repeat(1000), true],
  ['1,001 levels', '['.repeat(1001) + ']'.repeat(1001), false],
  ['20,000 messages', `[${'{"content":[{"a":1}],"role":"user"},'.repeat(20_000)}{}]`, true],
  ['a million empty objects', `[${'{},'.repeat(1_000_000)}{}]`, false],
])('where it is made with rests, it is the text itself where it would take far more memory: %s', (_, text, isMade) => {
  const bytes = bytesOf(text)
  const making = canonicalInSteps(bytes)
  let step = making.next()
  while (step.done !== true) step = making.next()
  expect(step.value === (isMade ? text : bytes)).toBe(true)
})
