import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../../src/formats/json/json.ts'
import { MemberPicker } from '../../../../src/formats/json/member-picker.ts'

const WANTED = { usage: true, model: true, response: { usage: true }, data: { '*': { url: true } } } as const

function pick(texts: readonly (string | Uint8Array)[]): JsonObject[] {
  const picked: JsonObject[] = []
  const picker = new MemberPicker(WANTED, (one) => picked.push(one))
  for (const text of texts) picker.add(typeof text === 'string' ? new TextEncoder().encode(text) : text)
  return picked
}

const TEXT = JSON.stringify({
  id: 'a"}{[\\',
  usage: { prompt_tokens: 3, details: { list: [1, { a: '}' }], none: null } },
  choices: [{ message: { content: 'usage: {"usage":{"a":1}}', usage: 7 } }],
  response: { id: 1, usage: { a: 'é😀' }, usages: 4 },
  data: [{ url: 'x' }, { b: [[], {}] }, { url: 2, c: {} }],
  model: 'm\n"1"',
})
const PICKED = {
  usage: { prompt_tokens: 3, details: { list: [1, { a: '}' }], none: null } },
  response: { usage: { a: 'é😀' } },
  data: [{ url: 'x' }, {}, { url: 2 }],
  model: 'm\n"1"',
}

test('the wanted members are picked where they stand, and no others of the same name', () => {
  expect(pick([TEXT])).toEqual([PICKED])
})

test('in whatever chunks a text comes, the same is picked', () => {
  const bytes = new TextEncoder().encode(JSON.stringify(JSON.parse(TEXT), null, 2))
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.byteLength }), { maxLength: 12 }), (cuts) => {
      const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.byteLength]
      const chunks = bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end))
      expect(pick(chunks)).toEqual([PICKED])
    }),
  )
  expect(pick([...bytes].map((byte) => new Uint8Array([byte])))).toEqual([PICKED])
})

test('texts may follow each other, as lines do', () => {
  expect(pick(['{"model":"a"}\n{"model":', '1}\n\n{}'])).toEqual([{ model: 'a' }, { model: 1 }, {}])
})

test('a value that is too long to be picked is left out, and a string is picked as an empty one', () => {
  const long = 'x'.repeat(70_000)
  expect(pick([`{"data":[{"url":"${long}"}],"usage":["${long}"],"model":"${long}`, `${long}"}`])).toEqual([
    { data: [{ url: '' }], model: '' },
  ])
})

test('what is no JSON never throws', () => {
  for (const text of [
    '',
    '}',
    ']]]',
    '{"usage":tru,',
    '{"usage":"\\u12"}',
    '[{"usage":1}]',
    '"{\\"usage\\":1}"',
    '{"a"}',
    '{:}',
  ]) {
    expect(() => pick([text, '{', text])).not.toThrow()
  }
  expect(pick(['[{"usage":1}]'])).toEqual([])
})
