import { expect, test } from 'bun:test'
import { KeptEntries } from '../../../../src/storage/memory/kept-entries.ts'

const KIB = 1024

test.each([0, 1, 300, 16 * KIB - 1, 16 * KIB, 200 * KIB])(
  'a value of %d bytes keeps its scope, its time and its bytes',
  (length) => {
    const entries = new KeptEntries()
    const scope = new TextEncoder().encode('principal-é')
    const value = Uint8Array.from({ length }, (_, index) => index % 251)
    const before = entries.keep(value, { scope: new TextEncoder().encode('another'), expiresAt: 1 })
    const kept = entries.keep(value, { scope, expiresAt: 1_764_000_000_123.5 })
    const wanted = Buffer.from(value)
    value.fill(7)
    entries.free(before)
    expect(Buffer.from(entries.valueOf(kept)).equals(wanted)).toBe(true)
    expect(new TextDecoder().decode(entries.scopeOf(kept))).toBe('principal-é')
    expect(entries.expiryOf(kept)).toBe(1_764_000_000_123.5)
    expect(KeptEntries.sizeOf(value, scope)).toBeGreaterThan(length)
  },
)

test('a value that is asked for again is the same array, and the next value in its place is not', () => {
  const entries = new KeptEntries()
  const note = { scope: new TextEncoder().encode('one'), expiresAt: 1 }
  const kept = entries.keep(new Uint8Array(300).fill(1), note)
  const value = entries.valueOf(kept)
  expect(entries.valueOf(kept)).toBe(value)
  entries.free(kept)
  const next = entries.keep(new Uint8Array(300).fill(2), note)
  expect(next).toBe(kept)
  expect(entries.valueOf(next)).toEqual(new Uint8Array(300).fill(2))
  expect(value).toEqual(new Uint8Array(300).fill(1))
})

test('the copies of values that are asked for take so much memory at the most: the oldest is made anew', () => {
  const entries = new KeptEntries()
  const note = { scope: new Uint8Array(), expiresAt: 1 }
  const kept = Array.from({ length: 200 }, (_, index) => entries.keep(new Uint8Array(8 * KIB).fill(index), note))
  const values = kept.map((one) => entries.valueOf(one))
  const again = kept.toReversed().map((one) => entries.valueOf(one))
  const isSame = again.toReversed().map((one, index) => one === values[index])
  expect([isSame[0], isSame.at(-1)]).toEqual([false, true])
  expect(again.toReversed()).toEqual(values)
})
