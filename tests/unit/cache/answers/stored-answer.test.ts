import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { checksumInSteps } from '../../../../src/cache/answers/checksum.ts'
import * as answers from '../../../../src/cache/answers/stored-answer.ts'
import { inSlices } from '../../../../src/timing/slices.ts'
import { bytesOf } from '../../formats/json/json-texts.ts'

type CachedAnswer = answers.StoredAnswer

/** What is short is there at once. */
function atOnce<T>(given: T | Promise<T>): T {
  if (given instanceof Promise) throw new Error('It is not there at once.')
  return given
}

const encodeAnswer = (answer: CachedAnswer) => atOnce(answers.encodeAnswer(answer))
const decodeAnswer = (bytes: Uint8Array) => atOnce(answers.decodeAnswer(bytes))
const checksumOf = (bytes: Uint8Array) => atOnce(inSlices(checksumInSteps(bytes)))

const ANSWER: CachedAnswer = {
  status: 200,
  headers: [
    ['content-type', 'text/event-stream'],
    ['x-odd', 'ü"\\'],
  ],
  chunks: [
    { bytes: bytesOf('data: 1\n\n'), atMs: 0 },
    { bytes: bytesOf('data: [DONE]\n\n'), atMs: 12.5 },
  ],
  storedAt: 1_700_000_000_123,
  ttlMs: 3_600_000,
}

test('any answer comes back as it was, byte for byte', () => {
  const any = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.array(fc.tuple(fc.string(), fc.string())),
    chunks: fc.array(fc.record({ bytes: fc.uint8Array(), atMs: fc.nat() })),
    storedAt: fc.nat(),
    ttlMs: fc.nat(),
  })
  fc.assert(
    fc.property(any, fc.nat({ max: 9 }), (answer, shift) => {
      const encoded = encodeAnswer(answer)
      // A store may give a view of a larger buffer.
      const moved = new Uint8Array(encoded.byteLength + shift).subarray(shift)
      moved.set(encoded)
      expect(decodeAnswer(moved)).toEqual(answer)
    }),
  )
})

test('times are kept to a tenth of a millisecond', () => {
  const timed = { ...ANSWER, chunks: [{ bytes: bytesOf('a'), atMs: 1.2345 }] }
  expect(decodeAnswer(encodeAnswer(timed))?.chunks[0]?.atMs).toBe(1.2)
})

test('bytes that end early, go on, or have one bit wrong anywhere are no answer', () => {
  const encoded = encodeAnswer(ANSWER)
  for (let length = 0; length < encoded.byteLength; length += 1) {
    expect(decodeAnswer(encoded.subarray(0, length))).toBeUndefined()
    expect(decodeAnswer(encoded.slice(0, length))).toBeUndefined()
  }
  expect(decodeAnswer(new Uint8Array([...encoded, 0]))).toBeUndefined()
  for (let bit = 0; bit < encoded.byteLength * 8; bit += 1) {
    const damaged = encoded.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(decodeAnswer(damaged)).toBeUndefined()
  }
})

test('parts of two answers make none, and neither does a hole of zeros', () => {
  const one = encodeAnswer(ANSWER)
  const other = encodeAnswer({ ...ANSWER, chunks: ANSWER.chunks.toReversed() })
  const mixed = one.slice()
  mixed.set(other.subarray(one.byteLength - 20), one.byteLength - 20)
  expect(decodeAnswer(mixed)).toBeUndefined()
  expect(decodeAnswer(one.slice().fill(0, one.byteLength - 16))).toBeUndefined()
})

test('a head whose lengths do not add up to the rest is no answer, whatever its checksum says', () => {
  const encoded = encodeAnswer(ANSWER)
  const withMore = new Uint8Array([...encoded, 0x20])
  const view = new DataView(withMore.buffer)
  const [low, high] = checksumOf(withMore.subarray(16))
  view.setUint32(8, low)
  view.setUint32(12, high)
  expect(decodeAnswer(withMore)).toBeUndefined()
})

test('the checksum tells swapped words and moved zeros apart', () => {
  const sums = [
    [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
    [3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0],
    [1, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0],
    [0],
    [0, 0],
    [],
  ].map((bytes) => checksumOf(new Uint8Array(bytes)).join())
  expect(new Set(sums).size).toBe(sums.length)
})

test('a large answer comes back as it was, in its pieces, and one bit of it that is wrong is found', async () => {
  const bytes = new Uint8Array(3 * 1024 * 1024 + 5).map((_, at) => at % 251)
  const large = {
    ...ANSWER,
    chunks: [
      { bytes: bytes.subarray(0, 1_500_001), atMs: 0 },
      { bytes: bytes.subarray(1_500_001), atMs: 1 },
    ],
  }
  const encoded = await answers.encodeAnswer(large)
  const decoded = await answers.decodeAnswer(encoded)
  expect(decoded?.chunks.map(({ bytes: one }) => one.byteLength)).toEqual([1_500_001, bytes.byteLength - 1_500_001])
  expect(Bun.hash(Buffer.concat(decoded?.chunks.map((one) => one.bytes) ?? []))).toBe(Bun.hash(bytes))
  encoded[2_000_000] = (encoded[2_000_000] ?? 0) ^ 1
  expect(await answers.decodeAnswer(encoded)).toBeUndefined()
})
