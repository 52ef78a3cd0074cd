import { afterAll, expect, test } from 'bun:test'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteStore } from '../../../../src/storage/sqlite/sqlite-store.ts'
import { isChecked } from '../checked-value.ts'
import { makeFolder } from '../stores-under-test.ts'

const KILLS = 50
const BYTES_MAX = 3_000_000
const PROGRAM = new URL('../programs/write-for-ever.ts', import.meta.url).pathname
const folder = makeFolder()
afterAll(() => folder.remove())

function startWriter(path: string, rounds?: number, prefix = 'key'): Bun.Subprocess<'ignore', 'pipe', 'inherit'> {
  const args = rounds === undefined ? [] : [String(rounds), prefix]
  return Bun.spawn([process.execPath, PROGRAM, path, String(BYTES_MAX), ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
}

/** Opens the store, and reads all that may be in it: each is whole. Gives how many there are. */
async function readAll(path: string, prefixes: readonly string[] = ['key']): Promise<number> {
  const warnings: unknown[] = []
  const log = { warn: (...line: unknown[]) => void warnings.push(line) }
  const store = openSqliteStore(path, { bytesMax: BYTES_MAX, entriesMax: 10_000, now: Date.now, log })
  let found = 0
  for (const key of prefixes.flatMap((prefix) => Array.from({ length: 200 }, (_, number) => `${prefix}-${number}`))) {
    const value = await store.get(key)
    if (value === undefined) continue
    found += 1
    expect(isChecked(value)).toBe(true)
  }
  const { entries, bytes } = await store.stats()
  await store.close()
  expect(entries).toBe(found)
  expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
  expect(warnings).toEqual([])
  return found
}

test(`a writer that is killed, ${KILLS} times: the file opens, nothing torn is served, the bound holds`, async () => {
  const path = join(folder.path, 'killed.db')
  let kept = 0
  for (let kill = 0; kill < KILLS; kill += 1) {
    const writer = startWriter(path)
    await writer.stdout.getReader().read()
    // At another point of its work each time.
    await Bun.sleep((kill * 7) % 23)
    writer.kill('SIGKILL')
    await writer.exited
    kept += await readAll(path)
  }
  expect(kept).toBeGreaterThan(KILLS * 5)
}, 120_000)

test('four processes write to one file at once: none fails, nothing torn is served, the bound holds', async () => {
  const path = join(folder.path, 'together.db')
  const writers = Array.from({ length: 4 }, () => startWriter(path, 400))
  expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual([0, 0, 0, 0])
  expect(await readAll(path)).toBeGreaterThan(10)
  expect(statSync(path).size).toBeLessThan(BYTES_MAX * 1.5)
}, 60_000)

test.each(['no file', 'a damaged file'])(
  'six processes that start at once on %s come to share one',
  async (what) => {
    for (let round = 0; round < 4; round += 1) {
      const path = join(folder.path, `${what} ${round}.db`)
      if (what === 'a damaged file') writeFileSync(path, 'no database at all. '.repeat(1000))
      const prefixes = ['a', 'b', 'c', 'd', 'e', 'f']
      const writers = prefixes.map((prefix) => startWriter(path, 12, prefix))
      expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual([0, 0, 0, 0, 0, 0])
      // Each has kept twelve, and taken one of them out.
      expect(await readAll(path, prefixes)).toBe(6 * 11)
    }
  },
  60_000,
)
