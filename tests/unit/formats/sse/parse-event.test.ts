import { expect, test } from 'bun:test'
import { parseEvent } from '../../../../src/formats/sse/parse-event.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each([
  ['data: a\n\n', { data: 'a' }],
  ['data:a\r\n\r\n', { data: 'a' }],
  ['data:  a\r\r', { data: ' a' }],
  ['event: e\ndata: a\ndata: b\nid: 7\n\n', { event: 'e', data: 'a\nb', id: '7' }],
  ['\ndata\n\n', { data: '' }],
  [': comment\n\n', {}],
  ['event: ping\n\n', { event: 'ping' }],
  ['id: a\0b\ndata: x\n\n', { data: 'x' }],
  ['error: {"code":1}\n\n', {}],
])('%j is read as %j', (text, expected) => {
  expect(parseEvent(bytes(text))).toEqual({ event: undefined, id: undefined, data: undefined, ...expected })
})

test('a byte order mark is skipped at the start of a stream, and belongs to a field’s name elsewhere', () => {
  expect(parseEvent(bytes('\uFEFFdata: a\n\n'), true).data).toBe('a')
  expect(parseEvent(bytes('\uFEFFdata: a\n\n')).data).toBeUndefined()
})
