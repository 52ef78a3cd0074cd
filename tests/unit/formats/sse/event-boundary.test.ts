import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { endsEvent, lastBytes } from '../../../../src/formats/sse/event-boundary.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each([
  ['', true],
  ['data: 1\n\n', true],
  ['data: 1\r\n\r\n', true],
  ['data: 1\r\r', true],
  ['data: 1\n\r\n', true],
  ['data: 1\n', false],
  ['data: 1\r\n', false],
  ['data: 1\r\n\r', false],
  ['data: 1\r', false],
  ['data: 1', false],
  ['\n', false],
])('a stream that ends with %j stands at an event boundary: %p', (text, isBoundary) => {
  expect(endsEvent(bytes(text).slice(-3))).toBe(isBoundary)
})

test('the end of a stream is the same, however the stream was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 8 }), (chunks) => {
      const whole = Buffer.concat(chunks)
      const tail = chunks.reduce((before: Uint8Array, chunk) => lastBytes(before, chunk), new Uint8Array())
      expect([...tail]).toEqual([...whole.subarray(-3)])
    }),
  )
})
