import { expect, test } from 'bun:test'
import { GatheredBytes } from '../../../../src/formats/bytes/gathered-bytes.ts'

function bytesOf(length: number, from = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => from + at)
}

test('a hundred thousand chunks of a byte are a few pieces, and all there', () => {
  const gathered = new GatheredBytes()
  for (let count = 0; count < 100_000; count += 1) gathered.add(bytesOf(1, count))
  expect(gathered.byteLength).toBe(100_000)
  expect(gathered.count).toBeLessThan(20)
  expect(gathered.join().every((byte, at) => byte === at % 256)).toBe(true)
})

test('large chunks are not copied, and stay in their place among small ones', () => {
  const gathered = new GatheredBytes()
  const large = bytesOf(10_000, 7)
  for (const chunk of [bytesOf(3), bytesOf(0), bytesOf(2), large, bytesOf(1), bytesOf(5000)]) gathered.add(chunk)
  const pieces = gathered.take()
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([3, 2, 10_000, 1, 5000])
  expect(pieces[2]).toBe(large)
  expect([gathered.byteLength, gathered.count]).toEqual([0, 0])
})

test('a chunk that is all is given as it came, and nothing as nothing', () => {
  const gathered = new GatheredBytes()
  const only = bytesOf(5)
  gathered.add(only)
  expect(gathered.join()).toBe(only)
  expect(gathered.join()).toEqual(new Uint8Array())
})

test('what was given is not written to any more', () => {
  const gathered = new GatheredBytes()
  for (const chunk of [bytesOf(1), bytesOf(2)]) gathered.add(chunk)
  const [, before] = gathered.take()
  for (const chunk of [bytesOf(1, 9), bytesOf(2, 9)]) gathered.add(chunk)
  expect(before).toEqual(bytesOf(2))
})

test('chunks of a known length are copied to the one piece that was given for them', () => {
  const gathered = new GatheredBytes()
  gathered.add(bytesOf(3))
  const block = new Uint8Array(10_007)
  gathered.gatherInto(block)
  expect(gathered.byteLength).toBe(3)
  for (const chunk of [bytesOf(4, 3), bytesOf(10_000, 7)]) gathered.add(chunk)
  expect([gathered.byteLength, gathered.count]).toEqual([10_007, 1])
  expect(() => gathered.add(bytesOf(1))).toThrow(RangeError)
  const whole = gathered.join()
  expect(whole.buffer).toBe(block.buffer)
  expect(whole).toEqual(bytesOf(10_007))
  gathered.add(bytesOf(2))
  expect(gathered.join()).toEqual(bytesOf(2))
})
