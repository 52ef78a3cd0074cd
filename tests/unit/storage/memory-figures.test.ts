import { expect, test } from 'bun:test'

const MIB = 1024 * 1024
const BYTES_MAX = 170 * MIB
const PROGRAM = new URL('programs/fill-memory.ts', import.meta.url).pathname

interface Figures {
  readonly stats: { readonly entries: number; readonly bytes: number }
  /** In MiB, after each filling: before and after the garbage was collected. */
  readonly grown: readonly number[]
  readonly rounds: readonly { readonly p50: number; readonly p99: number }[]
}

test('100,000 entries of 1 KB stay in the bound, as the system sees it, and are found at one speed', async () => {
  const child = Bun.spawn([process.execPath, PROGRAM, String(BYTES_MAX)], { stdout: 'pipe', stderr: 'inherit' })
  const figures: Figures = JSON.parse(await new Response(child.stdout).text())
  const { stats, grown, rounds } = figures
  expect(stats.entries).toBe(100_000)
  expect(stats.bytes).toBeLessThanOrEqual(BYTES_MAX)
  const unsettled = grown.filter((_, index) => index % 2 === 0)
  const settled = grown.filter((_, index) => index % 2 === 1)
  // What the store counts is what the process grows by, first and last, but for what the runtime's own heap keeps in reserve.
  expect(Math.max(...settled)).toBeLessThan(stats.bytes / MIB + 40)
  expect(Math.min(...settled) * MIB).toBeGreaterThan(stats.bytes * 0.75)
  // Garbage is collected before it makes much of a difference; left alone, the runtime would let its heap double.
  expect(Math.max(...unsettled) * MIB).toBeLessThan(BYTES_MAX * 1.6)
  // Where nothing is in the processor's caches a look-up takes twice as long, as it does in a Map of this size.
  const bestRatio = Math.min(...rounds.map(({ p50, p99 }) => p99 / p50))
  expect(bestRatio).toBeLessThan(4)
  expect(Math.min(...rounds.map(({ p99 }) => p99))).toBeLessThan(20_000)
}, 60_000)
