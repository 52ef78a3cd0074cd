import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readEvent } from '../../../src/extend/event.ts'
import { EventCut } from '../../../src/extend/event-cut.ts'

const LINE = fc.oneof(
  fc.constantFrom('data: a', 'data: {"é":1}', ': comment', 'event: e', 'data', ''),
  fc.string({ unit: 'grapheme' }).map((text) => `data: ${text}`),
)
const TEXT = fc
  .array(fc.tuple(LINE, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 })
  .map((lines) => lines.flat().join(''))

/** Cuts bytes at some places. */
function chunksOf(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.byteLength + 1)).toSorted((one, other) => one - other)]
  return at.map((from, index) => bytes.subarray(from, at[index + 1] ?? bytes.byteLength))
}

function cut(chunks: readonly Uint8Array[]): Uint8Array[] {
  const cutter = new EventCut(1_000_000)
  const events = chunks.flatMap((chunk) => cutter.add(chunk).map((raw) => raw.slice()))
  const rest = cutter.end()
  return rest === undefined ? events : [...events, rest]
}

function seen(events: readonly Uint8Array[]): unknown[] {
  return events.map(readEvent).map(({ event, id, data }) => ({ event, id, data }))
}

test('whatever the chunks, the events are the same and their bytes are the stream’s', () => {
  fc.assert(
    fc.property(TEXT, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
      const bytes = new TextEncoder().encode(text)
      const events = cut(chunksOf(bytes, places))
      expect(Buffer.concat(events)).toEqual(Buffer.from(bytes))
      // A CR LF that is cut in two leaves its LF to the next event, which it means nothing to.
      const meant = (all: unknown[]) => all.filter((one) => (one as { data: string }).data !== '')
      expect(meant(seen(events))).toEqual(meant(seen(cut([bytes]))))
    }),
    { numRuns: 2000 },
  )
})

test('byte by byte, the data is what the standard’s own reading of lines gives', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const bytes = new TextEncoder().encode(text)
      const events = cut([...bytes].map((byte) => new Uint8Array([byte])))
      const expected = text
        .split(/\r\n|\r|\n/)
        .join('\n')
        .split(/\n\n/)
        .flatMap((block) => {
          const lines = block.split('\n').filter((line) => /^data(?=:|$)/.test(line))
          return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')]
        })
      expect(events.map((raw) => readEvent(raw).data).filter((data) => data !== '')).toEqual(
        expected.filter((data) => data !== ''),
      )
    }),
    { numRuns: 2000 },
  )
})
