import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { StreamTail } from '../../../../src/formats/sse/stream-tail.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function tailOf(chunks: readonly (string | Uint8Array)[]): StreamTail {
  const tail = new StreamTail()
  for (const chunk of chunks) tail.add(typeof chunk === 'string' ? bytes(chunk) : chunk)
  return tail
}

function lastOf(chunks: readonly (string | Uint8Array)[]): string | undefined {
  return tailOf(chunks).events().at(-1)?.data
}

describe('the last event', () => {
  test.each<[string, string[], string | undefined]>([
    ['comes as one chunk', ['data: a\n\n', 'data: b\n\n'], 'b'],
    ['comes with others', ['data: a\n\ndata: b\n\n'], 'b'],
    ['comes in pieces', ['data: a\n\n', 'da', 'ta: b', '\n', '\n'], 'b'],
    ['has comments behind it', ['data: a\n\n', ': x\n\n', '\n', ': y\n\n'], 'a'],
    ['has an event without data behind it', ['data: a\n\nevent: ping\n\n'], 'a'],
    ['has the half of a line end behind it', ['data: a\r\n\r', '\n'], 'a'],
    ['lacks its blank line', ['data: a\n\n', 'data: b'], 'b'],
    ['is behind a byte order mark', ['\uFEFFdata: a\n\n'], 'a'],
    ['is not there', [': x\n\n', '\n'], undefined],
  ])('is found where it %s', (_how, chunks, last) => {
    expect(lastOf(chunks)).toBe(last)
    expect(tailOf(chunks).hasEvents).toBe(last !== undefined)
  })

  test('is found whatever the chunks', () => {
    const line = fc.constantFrom(
      'data: a\n\n',
      'data: b\r\n\r\n',
      'data: c\r\r',
      ': x\n\n',
      `data: ${'y'.repeat(999)}\n\n`,
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), fc.integer({ min: 1, max: 700 }), (lines, size) => {
        const whole = bytes(lines.join(''))
        const chunks: Uint8Array[] = []
        for (let at = 0; at < whole.byteLength; at += size) chunks.push(whole.subarray(at, at + size))
        expect(lastOf(chunks)).toBe(
          lines
            .findLast((text) => text.startsWith('data'))
            ?.trim()
            .slice(6),
        )
      }),
      { numRuns: 300 },
    )
  })

  test('of any size is told by its name and type, wherever that stands, and is over with its blank line', () => {
    const long = `{"response":{"type":"no","output":"${'x'.repeat(1_000_000)}"},"type":"response.completed"}`
    const chunks = [...`event: e\ndata: ${long}`.matchAll(/[\s\S]{1,5000}/g)].map(([part]) => part)
    expect(lastOf(['data: a\n\n', ...chunks])).toBeUndefined()
    const tail = tailOf(['data: a\n\n', ...chunks, '\n\n'])
    expect(tail.events()).toMatchObject([{ event: 'e', data: '{"type":"response.completed"}' }])
    expect(lastOf(['data: a\n\n', ...chunks, '\r\n\r', '\ndata: [DONE]\n\n'])).toBe('[DONE]')
    expect(lastOf(['data: a\n\n', ...chunks, '\n\n: x\n\n'])).toBe('{"type":"response.completed"}')
  })
})

test('a stream of one kind of chunk, without an event, is not held', () => {
  const chunk = bytes('x'.repeat(64 * 1024))
  const tail = new StreamTail()
  const before = process.memoryUsage().arrayBuffers
  for (let sent = 0; sent < 256; sent += 1) tail.add(chunk.slice())
  Bun.gc(true)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024)
  expect(tail.events()).toEqual([])
})
