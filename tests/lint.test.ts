import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = new URL('..', import.meta.url).pathname
let folder = ''

/** What the linter reports of one place. */
interface Diagnostic {
  readonly category: string
  readonly location: { readonly start: { readonly line: number } }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lint-'))
  for (const name of ['biome.json', 'lint']) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Those of a file's lines that a rule of the project's own stops. */
function stopped(path: string, lines: readonly string[]): string[] {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), lines.join('\n'))
  // The copy lies in no repository, so there is nothing to ignore by.
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=50', path]
  const { stdout } = Bun.spawnSync([join(ROOT, 'node_modules/.bin/biome'), ...args], { cwd: folder, stderr: 'ignore' })
  rmSync(join(folder, path))
  const { diagnostics } = JSON.parse(stdout.toString()) as { diagnostics: readonly Diagnostic[] }
  const at = new Set(
    diagnostics.filter(({ category }) => category === 'plugin').map(({ location }) => location.start.line),
  )
  return lines.filter((_line, index) => at.has(index + 1))
}

test('nothing reaches out but the egress: no fetch, no socket, anywhere else in src/', () => {
  const ways = [
    'fetch(url)',
    'await fetch(url, { method })',
    'globalThis.fetch(url)',
    'fetch.call(undefined, url)',
    'deps.fetch(url, init)',
    "new WebSocket('ws://127.0.0.1')",
    'Bun.connect({ hostname, port })',
  ]
  expect(stopped('src/params/refuse.ts', ways)).toEqual(ways)
  expect(stopped('src/upstream/send.ts', ways)).toEqual([])
  expect(stopped('src/params/refuse.ts', ['send(call)', 'prefetch(url)', 'const fetched = cache.get(url)'])).toEqual([])
})

test('no address is made of a path and a base, since a path can name another host', () => {
  const ways = ['new URL(path, base)', "new URL('/v1/x', request.url)", 'URL.parse(path, base)']
  expect(stopped('src/server/guard.ts', ways)).toEqual(ways)
  expect(stopped('src/server/guard.ts', ['new URL(address)', 'URL.parse(address)'])).toEqual([])
})

test('nobody is let in or kept out by a path', () => {
  const ways = [
    "if (path.startsWith('/health')) skip(); else authorize(headers)",
    'if (!OPEN.has(request.url)) principal = authorize(headers)',
    'const who = url.pathname === "/" ? undefined : deps.authorize(headers)',
    'OPEN.has(target) || authorize(headers)',
  ]
  expect(stopped('src/server/routes/openai.ts', ways)).toEqual(ways)
  expect(stopped('src/server/routes/openai.ts', ['const principal = authorize(request.headers)'])).toEqual([])
  const reads = ['if (request.url) open()', 'const { length } = new URL(text)', 'open(exchange.target)']
  expect(stopped('src/access/authorize.ts', reads)).toEqual(reads)
})

test('no secret, opened or not, is put into a text, the log or an error; a digest of it may be', () => {
  const leaks = linesOf('secrets-in-text')
  expect(leaks.length).toBeGreaterThan(5)
  expect(stopped('src/routing/attempts/warn-of-key.ts', leaks)).toEqual(leaks)
  expect(stopped('src/routing/attempts/warn-of-key.ts', linesOf('no-secrets-in-text'))).toEqual([])
})

function linesOf(name: string): string[] {
  return readFileSync(new URL(`fixtures/lint/${name}.txt`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
}
