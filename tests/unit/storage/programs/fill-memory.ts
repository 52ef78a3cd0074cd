// Fills the store in memory with 100,000 entries of 1 KB, three times over, and writes its figures as JSON.
import { createMemoryStore } from '../../../../src/storage/memory/memory-store.ts'

const ENTRIES = 100_000
const LOOKUPS = 100_000
const MIB = 1024 * 1024
const bytesMax = Number(process.argv[2])

const keyOf = (number: number): string => new Bun.CryptoHasher('sha256').update(String(number)).digest('hex')
const rssMib = (): number => process.memoryUsage.rss() / MIB
const settle = async (): Promise<void> => {
  Bun.gc(true)
  await Bun.sleep(200)
}

const store = createMemoryStore({ bytesMax, entriesMax: ENTRIES, now: Date.now })
const value = new Uint8Array(1024)
keyOf(0)
await settle()
const before = rssMib()
const grown: number[] = []
for (let number = 0; number < 3 * ENTRIES; number += 1) {
  await store.set(keyOf(number), value, { ttlMs: 3_600_000, scope: `principal-${number % 10}` })
  if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  if ((number + 1) % ENTRIES === 0) {
    const unsettled = rssMib() - before
    await settle()
    grown.push(unsettled, rssMib() - before)
  }
}

const measure = (): { p50: number; p99: number } => {
  const took = new Float64Array(LOOKUPS)
  for (let turn = 0; turn < LOOKUPS; turn += 1) {
    const number = 2 * ENTRIES + ((turn * 7919) % ENTRIES)
    // As a request has it: made just now.
    const key = keyOf(number)
    const begin = Bun.nanoseconds()
    void store.get(key)
    took[turn] = Bun.nanoseconds() - begin
  }
  took.sort()
  return { p50: took[LOOKUPS / 2] ?? Number.NaN, p99: took[LOOKUPS * 0.99] ?? Number.NaN }
}
const rounds = Array.from({ length: 5 }, measure)
process.stdout.write(JSON.stringify({ stats: await store.stats(), grown, rounds }))
