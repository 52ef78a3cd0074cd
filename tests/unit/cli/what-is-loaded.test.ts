import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const ROOT = new URL('../../../src', import.meta.url).pathname
const transpiler = new Bun.Transpiler({ loader: 'ts' })

/** All that is loaded with a file: what it imports for more than types, and what that imports, but nothing on demand. */
function loadedWith(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  if (!path.endsWith('.ts')) return found
  for (const { kind, path: target } of transpiler.scanImports(readFileSync(join(ROOT, path), 'utf8'))) {
    if (kind !== 'import-statement') continue
    loadedWith(target.startsWith('.') ? normalize(join(dirname(path), target)) : target, found)
  }
  return found
}

test('a supervisor loads nothing of what serves', () => {
  const loaded = [...loadedWith('cli/serve.ts'), ...loadedWith('process/workers/supervise.ts')]
  expect(loaded).toContain('process/workers/worker-pool.ts')
  expect(
    loaded.filter((path) => /^app\.ts$|^(?:server|gateway|requests|routing|answers|upstream|demo)\/|elysia/.test(path)),
  ).toEqual([])
})

test('a server that is one process loads nothing of a supervisor', () => {
  const loaded = [...loadedWith('cli/serve.ts'), ...loadedWith('process/serve-alone.ts')]
  expect(loaded).toContain('app.ts')
  expect(loaded.filter((path) => path.startsWith('process/workers/'))).toEqual(['process/workers/worker-process.ts'])
})

test('what reads a configuration file is loaded where there is one only', () => {
  const loaded = [...loadedWith('process/serve-alone.ts', loadedWith('cli/serve.ts'))]
  expect(loaded).toContain('config/sections/cache.ts')
  expect(
    loaded.filter((path) => /^yaml$|^config\/(?:file-schema|load-settings|settings-from-file)\.ts$/.test(path)),
  ).toEqual([])
  // Of file/, only the words that sections write their fields in.
  expect(loaded.filter((path) => path.startsWith('config/file/'))).toEqual(['config/file/schema/fields.ts'])
  expect(loadedWith('config/load-settings.ts')).toContain('yaml')
})

test('what meters callers is loaded where there is a ledger only', () => {
  const loaded = [...loadedWith('process/serve-alone.ts', loadedWith('cli/serve.ts'))]
  const ofLedger = loaded.filter((path) => /^(?:administration|ledger|metering|pricing)\//.test(path))
  // What a token of the default project is, how our keys look, and the errors of a ledger that can't be opened.
  expect(ofLedger.toSorted()).toEqual(['ledger/first-records.ts', 'ledger/key-format.ts', 'ledger/ledger.ts'])
  expect(loadedWith('metering/metering.ts')).toContain('pricing/estimate.ts')
})
