import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { BLOCK_BYTES, BlockArena } from '../../../../src/storage/memory/block-arena.ts'

const MIB = 1024 * 1024

/** Bytes that tell where they are from. */
function bytesOf(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7 + seed) % 251)
}

function copyAll(arena: BlockArena, { piece, bytes }: { piece: number; bytes: Uint8Array }): Buffer {
  return Buffer.from(arena.copy(piece, 0, bytes.byteLength))
}

const LENGTH = fc.oneof(
  fc.nat({ max: 3 * BLOCK_BYTES }),
  fc.constantFrom(0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 20 * BLOCK_BYTES, MIB, MIB + 3),
)
const ACT = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put' as const), lengths: fc.array(LENGTH, { maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('free' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('look' as const), which: fc.nat(), from: fc.nat(), length: fc.nat() }),
  },
)

test('whatever comes and goes, each piece has the bytes that were put there, and what is free is used again', () => {
  fc.assert(
    fc.property(fc.array(ACT, { maxLength: 60 }), (acts) => {
      const arena = new BlockArena()
      const kept: { piece: number; bytes: Uint8Array }[] = []
      let most = 0
      for (const [turn, act] of acts.entries()) {
        if (act.kind === 'put') {
          const parts = act.lengths.map((length, index) => bytesOf(length, turn + index))
          const bytes = Buffer.concat(parts)
          kept.push({ piece: arena.put(...parts), bytes })
          most = Math.max(
            most,
            kept.reduce((sum, one) => sum + BlockArena.sizeOf(one.bytes.byteLength), 0),
          )
        } else {
          const one = kept[act.which % kept.length]
          if (one === undefined) continue
          if (act.kind === 'free') {
            arena.free(one.piece)
            kept.splice(kept.indexOf(one), 1)
          } else {
            const from = act.from % (one.bytes.byteLength + 1)
            const length = act.length % (one.bytes.byteLength - from + 1)
            const part = Buffer.from(arena.copy(one.piece, from, length))
            expect(part.equals(one.bytes.subarray(from, from + length))).toBe(true)
          }
        }
        // Nothing is taken from the system while something is free.
        expect(arena.bytes).toBeLessThan(most + 1.1 * MIB)
      }
      for (const one of kept) expect(copyAll(arena, one).equals(one.bytes)).toBe(true)
      for (const { piece } of kept) arena.free(piece)
      expect(arena.bytes).toBe(0)
    }),
    { numRuns: 300 },
  )
})

describe('a piece', () => {
  test('gives the numbers at its beginning, in the order of the network', () => {
    const arena = new BlockArena()
    void arena.put(bytesOf(700, 1))
    const fields = new DataView(new ArrayBuffer(16))
    fields.setFloat64(0, 1.75e12)
    fields.setUint32(8, 4_000_000_000)
    const piece = arena.put(new Uint8Array(fields.buffer), bytesOf(700, 2))
    expect([arena.float64At(piece, 0), arena.uint32At(piece, 8)]).toEqual([1.75e12, 4_000_000_000])
  })

  test('is a copy both ways: what becomes of the bytes outside changes nothing inside', () => {
    const arena = new BlockArena()
    for (const length of [10, 1000]) {
      const bytes = bytesOf(length, 3)
      const piece = arena.put(bytes)
      const wanted = Buffer.from(bytes)
      bytes.fill(0)
      arena.copy(piece, 0, length).fill(1)
      expect(Buffer.from(arena.copy(piece, 0, length)).equals(wanted)).toBe(true)
    }
  })

  test('whose neighbours were let go between is whole, over many blocks that do not lie beside each other', () => {
    const arena = new BlockArena()
    const small = Array.from({ length: 1000 }, (_, seed) => arena.put(bytesOf(100, seed)))
    for (const [index, piece] of small.entries()) if (index % 2 === 0) arena.free(piece)
    const bytes = bytesOf(400 * BLOCK_BYTES, 5)
    const before = arena.bytes
    const piece = arena.put(bytes)
    expect(arena.bytes).toBe(before)
    expect(copyAll(arena, { piece, bytes }).equals(Buffer.from(bytes))).toBe(true)
    expect(Buffer.from(arena.copy(small[1] ?? 0, 0, 100)).equals(Buffer.from(bytesOf(100, 1)))).toBe(true)
  })
})
