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
