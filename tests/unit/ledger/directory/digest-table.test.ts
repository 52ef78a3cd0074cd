import { expect, test } from 'bun:test'
import { DigestTable } from '../../../../src/ledger/directory/digest-table.ts'
import { seededRandom } from '../../routing/targets/router-parts.ts'

const text = (value: string) => new TextEncoder().encode(value)
const read = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value))
const digestOf = (name: string): Uint8Array => new Bun.CryptoHasher('sha256').update(name).digest()

test('does what a Map does, over many random changes', () => {
  const random = seededRandom()
  const table = new DigestTable()
  const map = new Map<string, string>()
  for (let step = 0; step < 20_000; step += 1) {
    const name = `key ${Math.floor(random() * 3000)}`
    if (random() < 0.3) {
      table.delete(digestOf(name))
      map.delete(name)
    } else {
      const value = 'x'.repeat(Math.floor(random() * 300)) + step
      table.set(digestOf(name), text(value))
      map.set(name, value)
    }
  }
  expect(table.size).toBe(map.size)
  for (let number = 0; number < 3000; number += 1)
    expect(read(table.get(digestOf(`key ${number}`)))).toBe(map.get(`key ${number}`))
})

test('digests that begin alike are told apart by their ends', () => {
  const table = new DigestTable()
  const digests = Array.from({ length: 500 }, (_one, index) => {
    const digest = new Uint8Array(32).fill(7)
    new DataView(digest.buffer).setUint16(30, index)
    return digest
  })
  for (const [index, digest] of digests.entries()) table.set(digest, text(String(index)))
  for (const [index, digest] of digests.entries()) expect(read(table.get(digest))).toBe(String(index))
  expect(table.get(new Uint8Array(32).fill(7).fill(9, 31))).toBeUndefined()
})

test('says how many bytes are of nobody, and takes texts up to 65,535 bytes', () => {
  const table = new DigestTable()
  table.set(digestOf('a'), text('x'.repeat(65_535)))
  table.set(digestOf('a'), text('y'))
  expect(table.wasted).toBe(65_535)
  table.delete(digestOf('a'))
  table.delete(digestOf('a'))
  expect([table.wasted, table.size]).toEqual([65_536, 0])
  expect(() => table.set(digestOf('a'), new Uint8Array(65_536))).toThrow(RangeError)
})
