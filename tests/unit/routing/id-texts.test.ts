import { expect, test } from 'bun:test'
import { MemberScan } from '../../../src/formats/json/member-scan.ts'
import { scanByBytes } from '../../../src/formats/json/scan-nesting.ts'
import { fewIdTextsAt, idTextsAt } from '../../../src/routing/id-texts.ts'
import { bytesOf } from '../formats/json/json-texts.ts'

/** The texts that may be ids in the value of a member, by the scan of members and by the scan byte by byte. */
function textsIn(value: string): readonly (readonly string[])[] {
  const bytes = bytesOf(`{"a":${value}}`)
  const colons: number[] = []
  new MemberScan(bytes, 64, colons).goOn(() => false)
  const base = 6
  const all: number[] = []
  scanByBytes(bytes.subarray(base), { depth: 1, isInString: false, isEscaped: false }, { base, colons: all })
  return [idTextsAt(bytes, colons), idTextsAt(bytes, all)]
}

const FAR = `"${'x'.repeat(200)}"`

test.each<readonly [string, readonly string[]]>([
  [`[${FAR},{"id":"one","role":"user"}]`, ['one']],
  [`[${FAR},{"file_id" :\n"one"},{"file_ids": ["two",["three"]]}]`, ['one', 'two', 'three']],
  [`[${FAR},{"f\\u0069le_\\u0069\\u0064":"one"},{"\\u0063ontainer":"t\\u0077o"}]`, ['one', 'two']],
  [`[${FAR},{"conversation":{"id":"one"}},{"result_files":["two"]}]`, ['one', 'two']],
  [
    `[${FAR},{"container":"1"},{"training_file":"2"},{"validation_file":"3"},{"fine_tuned_model":"4"}]`,
    ['1', '2', '3', '4'],
  ],
  [`[${FAR},{"tool_call_id":"none","call_id":"none","valid":"none","function":"none"}]`, []],
  [`[${FAR},"\\"id\\":\\"none\\"","id",{"text":"\\"id\\":"}]`, []],
  [`[${FAR},{"id":1,"file_id":null,"a_id":{"x":"none"}}]`, []],
  [`[${FAR},{"\\"id":"none","x\\\\_id":"one"}]`, ['one']],
  [`[${FAR},{"id":"${'i'.repeat(30_000)}"}]`, []],
])('the texts at places of ids are found in a value that is not read: %s', (value, texts) => {
  expect(textsIn(value)).toEqual([texts, texts])
})

test('lists of ids within lists of ids are gone through once', () => {
  const deep = 20_000
  const [texts] = textsIn(`[${FAR},${'{"x_ids":["a",'.repeat(deep)}1${']}'.repeat(deep)}]`)
  expect(texts?.length).toBe(deep + deep - 1)
})

test.each<readonly [string, string, boolean]>([
  ['a few ids', '{"id":"one"},'.repeat(10), true],
  ['many ids', '{"id":"one"},'.repeat(30_000), false],
  ['many places without an id', '{"a_id":1},'.repeat(300_000), false],
  ['a list of many ids', `{"x_ids":[${'"a",'.repeat(30_000)}1]},`, false],
  ['a long list without an id', `{"x_ids":[${'1,'.repeat(600_000)}1]},`, false],
])('%s are found at once, or not at all', (_, items, isFound) => {
  const bytes = bytesOf(`{"a":[${FAR},${items}1]}`)
  const colons: number[] = []
  new MemberScan(bytes, undefined, colons).goOn(() => false)
  expect(fewIdTextsAt(bytes, colons)).toEqual(isFound ? idTextsAt(bytes, colons) : undefined)
})
