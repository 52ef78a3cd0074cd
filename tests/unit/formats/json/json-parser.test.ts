import { describe, expect, test } from 'bun:test'
import { TooManyValues } from '../../../../src/formats/json/json-builder.ts'
import { JsonParser } from '../../../../src/formats/json/json-parser.ts'
import { membersOf } from '../../../../src/formats/json/members.ts'

const TO_BYTES = new TextEncoder()
const WINDOWS = [1, 2, 3, 5, 8, 13, 40, 1000, 32 * 1024]

/** Reads a text a window at a time. */
function parse(bytes: Uint8Array, windowBytes?: number, weightMax = Number.POSITIVE_INFINITY): JsonParser {
  const parser = new JsonParser(bytes, weightMax, { windowBytes })
  while (!parser.goOn(() => true));
  return parser
}

/** As it is read at once; undefined: it is no JSON. */
function atOnce(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return undefined
  }
}

/** In slices, or undefined; a window of few bytes refuses a name that is as long. */
function inSlices(bytes: Uint8Array, windowBytes: number): { readonly value: unknown } | undefined | 'refused' {
  try {
    const { value } = parse(bytes, windowBytes)
    return { value }
  } catch (thrown) {
    return thrown instanceof TooManyValues ? 'refused' : undefined
  }
}

const TEXTS = [
  '{}',
  '[]',
  ' \r\n\t{ "a" : [ 1 , -2.5e+3, true , false , null , "x" ] , "b" : { "c" : { } } } \n',
  '{"a":1,"a":{"b":[[[]]]},"a":3}',
  '{"__proto__":{"x":[1,2,3]},"constructor":{},"1":1,"0":0}',
  '{"tricky":"\\"]}\\\\","esc":"\\u0041\\ud83d\\ude00\\n","raw":"é😀\u2028"}',
  `["${'long text with "quotes" '.replaceAll('"', '\\"').repeat(40)}","${'é😀'.repeat(100)}"]`,
  `${'['.repeat(300)}1${']'.repeat(300)}`,
  `${'{"a":'.repeat(60)}{}${'}'.repeat(60)}`,
  `[${'{"role":"user","content":"hello"},'.repeat(50)}0]`,
  '\ufeff{"mark":true}',
  '[1,2',
  '[1,,2]',
  '[1,]',
  '[,1]',
  '{"a":1,}',
  '{"a"}',
  '{"a":}',
  '{"a" 1}',
  '{1:2}',
  '[1}',
  '{"a":1]',
  '[] []',
  '[]x',
  '[01]',
  '[+1]',
  '[1.]',
  '[.5]',
  '[1 2]',
  '["a" "b"]',
  '["\\x"]',
  '["tab\there"]',
  '["unclosed',
  '[tru]',
  '[\u00a01]',
  '{"a":[1]"b":2}',
  '[{}{}]',
  '[[]1]',
  '[[],1',
]

describe('a JSON text that is read in slices', () => {
  test.each(TEXTS)('says what it says at once, whatever the slices: %p', (text) => {
    const bytes = TO_BYTES.encode(text)
    const expected = atOnce(bytes)
    for (const windowBytes of WINDOWS) {
      const found = inSlices(bytes, windowBytes)
      if (found !== 'refused') expect(found, `windows of ${windowBytes}`).toEqual(expected as typeof found)
    }
  })

  test('is as right with any byte changed', () => {
    let seed = 20_261_130
    const random = (max: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed % max
    }
    const bytesOfJson = TO_BYTES.encode('{}[]",:\\01239.eE+-truefalsnu \n\té😀')
    for (let count = 0; count < 20_000; count += 1) {
      const bytes = TO_BYTES.encode(TEXTS[random(TEXTS.length)])
      for (let change = random(3); change >= 0; change -= 1) {
        bytes[random(bytes.length)] = bytesOfJson[random(bytesOfJson.length)] ?? 0
      }
      const found = inSlices(bytes, WINDOWS[random(WINDOWS.length)] ?? 1)
      const expected = atOnce(bytes)
      const isScalar = typeof expected?.value !== 'object' || expected.value === null
      if (found === 'refused' || (expected !== undefined && isScalar)) continue
      if (!Bun.deepEquals(found, expected, true)) throw new Error(`not the same: ${new TextDecoder().decode(bytes)}`)
    }
  })

  test('is refused where it is not UTF-8, also in the midst of a long string', () => {
    const text = TO_BYTES.encode(`["${'a'.repeat(200_000)}"]`)
    text[150_000] = 0xff
    expect(() => parse(text)).toThrow(TypeError)
  })

  test('tells where the members of its object stand', () => {
    const long = 'x'.repeat(100_000)
    const text = `{ "model" : "m", "messages":[${`{"content":"${long}"},`.repeat(3)}{}], "x\\u0041": {"y":${'[1],'.repeat(0)}1}, "${'k'.repeat(50)}":"${long}","z":0 }`
    const bytes = TO_BYTES.encode(text)
    for (const windowBytes of [40, 1000, undefined]) {
      const { members } = parse(bytes, windowBytes)
      expect(members).toEqual(membersOf(bytes))
    }
  })

  test('has its name of many letters as any other, whatever it is', () => {
    const bytes = TO_BYTES.encode(`{"__proto__":"${'x'.repeat(100_000)}"}`)
    expect(Object.keys(parse(bytes).value as object)).toEqual(['__proto__'])
  })

  test.each([
    ['empty objects', `[${'{},'.repeat(100_000)}{}]`],
    ['empty lists', `[${'[],'.repeat(100_000)}[]]`],
    ['lists within lists', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['objects within objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['strings', `[${'"",'.repeat(200_000)}""]`],
    ['names', `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join()}}`],
  ])('is refused where its values would take too much memory: %s', (_, text) => {
    const bytes = TO_BYTES.encode(text)
    expect(() => parse(bytes, undefined, 3 * bytes.byteLength)).toThrow(TooManyValues)
  })

  test.each([
    ['a number', `[${'1'.repeat(2_000_000)}]`],
    ['white space', `[1${' '.repeat(2_000_000)}]`],
    ['a name', `{"${'n'.repeat(2_000_000)}":1}`],
  ])('is refused for %s of megabytes', (_, text) => {
    expect(() => parse(TO_BYTES.encode(text))).toThrow(TooManyValues)
  })

  test('is read with a pause after each window, of which none is long', () => {
    const bytes = TO_BYTES.encode(`[${'{"role":"user","content":"hello"},'.repeat(30_000)}"${'y'.repeat(1_000_000)}"]`)
    const parser = new JsonParser(bytes, Number.POSITIVE_INFINITY)
    let pauses = 0
    while (!parser.goOn(() => true)) pauses += 1
    expect(pauses).toBeGreaterThan(40)
  })
})
