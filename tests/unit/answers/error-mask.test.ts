import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { ErrorMask } from '../../../src/answers/error-mask.ts'
import { maskOf } from '../upstream/mask-of.ts'

const KEY = 'sk-server-0123456789-abcdefghij'
const mask = maskOf(KEY)

/** What goes on of bytes that come in pieces of such sizes. */
function fed(kind: 'events' | 'lines' | 'whole', whole: Uint8Array, sizes: readonly number[]): Uint8Array {
  const body = new ErrorMask(mask, kind)
  const shown: Uint8Array[] = []
  for (let at = 0, turn = 0; at < whole.byteLength; turn += 1) {
    const size = (sizes[turn % sizes.length] ?? 0) + 1
    shown.push(body.add(whole.slice(at, at + size)))
    at += size
  }
  shown.push(body.end())
  return Buffer.concat(shown)
}

const PARTS = [
  `data: {"error":"${KEY}"}`,
  `event: error`,
  `data: said ${KEY}`,
  `{"error":{"message":"${KEY} ${Buffer.from(KEY).toString('base64')}"}}`,
  KEY,
  KEY.slice(0, 20),
  '\n',
  '\n\n',
  '\r\n\r\n',
  '\r',
  `: ping`,
  '{"id":"1"}',
]

test.each(['events', 'lines', 'whole'] as const)('%s come to the same, however they are cut', (kind) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PARTS), fc.string()), { maxLength: 12 }),
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 12 }),
      (parts, sizes) => {
        const bytes = new TextEncoder().encode(parts.join(''))
        const whole = fed(kind, bytes, [bytes.byteLength])
        expect(whole.byteLength).toBe(bytes.byteLength)
        expect(Buffer.from(fed(kind, bytes, sizes)).equals(Buffer.from(whole))).toBe(true)
        if (!new TextDecoder().decode(bytes).includes('error'))
          expect(Buffer.from(whole).equals(Buffer.from(bytes))).toBe(true)
      },
    ),
  )
})

test('nothing waits but what may be the beginning of the key, and what comes behind one until it can be judged', () => {
  const body = new ErrorMask(mask, 'events')
  const add = (text: string): string => Buffer.from(body.add(new TextEncoder().encode(text))).toString()
  expect(add('data: {"error":"')).toBe('data: {"error":"')
  expect(add('bad sk-ser')).toBe('bad ')
  expect(add('iously')).toBe('sk-seriously')
  expect(add(` ${KEY}, s`)).toBe(' ')
  expect(add('o"}\n')).toBe('')
  expect(add('\ndata: next')).toBe(`${'*'.repeat(KEY.length)}, so"}\n\ndata: next`)
})

test('the chunks that come are nobody’s to write into, also where they are buffers', () => {
  for (const text of [`{"said":"${KEY}"}`, `{"error":"${KEY}"}`]) {
    const chunk = Buffer.from(text)
    const body = new ErrorMask(mask, 'whole')
    body.add(chunk)
    body.end()
    expect(chunk.toString()).toBe(text)
    mask.piece(chunk)
    expect(Buffer.from(mask.bytes(chunk)).toString()).not.toContain(KEY)
    expect(chunk.toString()).toBe(text)
  }
})
