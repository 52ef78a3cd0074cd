import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type EventPiece, EventSplitter } from '../../../../src/formats/sse/event-splitter.ts'
import { parseEvent } from '../../../../src/formats/sse/parse-event.ts'
import { cpuMs } from '../../../helpers/cpu-time.ts'

const LINE = fc.oneof(
  fc.constantFrom('data: a', 'data: {"é":1}', ': comment', 'event: e', 'data', ''),
  fc.string({ unit: 'grapheme' }).map((text) => `data: ${text}`),
)
const TEXT = fc
  .array(fc.tuple(LINE, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 })
  .map((lines) => lines.flat().join(''))
const PLACES = fc.array(fc.nat(), { maxLength: 20 })

/** Cuts bytes at some places. */
function chunksOf(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.byteLength + 1)).toSorted((one, other) => one - other)]
  return at.map((from, index) => bytes.subarray(from, at[index + 1] ?? bytes.byteLength))
}

function split(chunks: readonly Uint8Array[], bytesMax = 1_000_000): EventPiece[] {
  const splitter = new EventSplitter(bytesMax)
  const pieces = chunks.flatMap((chunk) => splitter.add(chunk))
  const rest = splitter.end()
  return rest === undefined ? pieces : [...pieces, rest]
}

function dataIn(pieces: readonly EventPiece[]): string[] {
  return pieces.flatMap(({ bytes }, index) => parseEvent(bytes, index === 0).data ?? [])
}

test('whatever the chunks, the events are the same and their bytes are the stream’s', () => {
  fc.assert(
    fc.property(TEXT, PLACES, (text, places) => {
      const bytes = new TextEncoder().encode(text)
      const pieces = split(chunksOf(bytes, places))
      expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(Buffer.from(bytes))
      expect(dataIn(pieces)).toEqual(dataIn(split([bytes])))
    }),
    { numRuns: 2000 },
  )
})

test('byte by byte, the data is what the standard’s own reading of lines gives', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const bytes = new TextEncoder().encode(text)
      const expected = text
        .split(/\r\n|\r|\n/)
        .join('\n')
        .split(/\n\n/)
        .flatMap((block) => {
          const lines = block.split('\n').filter((line) => /^data(?=:|$)/.test(line))
          return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')]
        })
      expect(dataIn(split([...bytes].map((byte) => new Uint8Array([byte]))))).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('what is longer than the splitter holds comes in pieces, and still ends where it ends', () => {
  fc.assert(
    fc.property(TEXT, PLACES, fc.integer({ min: 1, max: 40 }), (text, places, bytesMax) => {
      const bytes = new TextEncoder().encode(text)
      const pieces = split(chunksOf(bytes, places), bytesMax)
      expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(Buffer.from(bytes))
      const events: Uint8Array[][] = []
      for (const { bytes: piece, isStart } of pieces) {
        if (isStart) events.push([])
        events.at(-1)?.push(piece)
      }
      const whole = events.flatMap((parts, index) => parseEvent(Buffer.concat(parts), index === 0).data ?? [])
      expect(whole).toEqual(dataIn(split([bytes])))
    }),
    { numRuns: 2000 },
  )
})

describe('a long event', () => {
  test('that comes byte by byte costs no copy of what came for each of them', () => {
    const splitter = new EventSplitter(64 * 1024 * 1024)
    const chunk = new TextEncoder().encode('x'.repeat(16))
    const startedAt = cpuMs()
    for (let sent = 0; sent < 8 * 1024 * 1024; sent += chunk.byteLength) expect(splitter.add(chunk)).toBeEmpty()
    // With a copy each it would be terabytes.
    expect(cpuMs() - startedAt).toBeLessThan(20_000)
    expect(splitter.add(new TextEncoder().encode('\n\n'))[0]?.bytes.byteLength).toBe(8 * 1024 * 1024 + 2)
  })

  test('of one kind of line ends is not searched for the other kind once a line', () => {
    const lines = new TextEncoder().encode('x\r'.repeat(1024 * 1024))
    const startedAt = cpuMs()
    expect(new EventSplitter(lines.byteLength).add(lines)).toBeEmpty()
    expect(cpuMs() - startedAt).toBeLessThan(10_000)
  })
})
