import { expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY } from '../helpers/gateway-under-test.ts'

const MB = 1e6
/** The runtime is about 109 MB of it. */
const BINARY_BYTES_MAX = 126 * MB
/** What is ours, and what it imports, minified; 0.4 MB of it are prices. */
const SCRIPT_BYTES_MAX = 2.5 * MB

test('the bundled JavaScript stays within its budget', async () => {
  const out = mkdtempSync(join(tmpdir(), 'nexcode-size-'))
  try {
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const build = await Bun.build({ entrypoints: [main], outdir: out, target: 'bun', minify: true })
    expect(build.success).toBe(true)
    const bytes = readdirSync(out).reduce((sum, file) => sum + statSync(join(out, file)).size, 0)
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes).toBeLessThan(SCRIPT_BYTES_MAX)
  } finally {
    rmSync(out, { recursive: true })
  }
})

test.skipIf(BINARY === undefined)('the binary stays within its budget (NEXCODE_BINARY)', () => {
  expect(statSync(BINARY ?? '').size).toBeLessThan(BINARY_BYTES_MAX)
})
