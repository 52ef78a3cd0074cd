import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOptions, UsageError } from '../../scripts/hardening/options.ts'
import { PROMISES } from './promises.ts'
import { createRandom } from './random.ts'
import { DEFAULT_SEED } from './suite.ts'
import { loadSuites } from './suites.ts'

const ALL = [
  { number: 1, name: 'first' },
  { number: 2, name: 'second' },
]

/** Suites that go well, fail, hang, break off and can't fail: what each exports beside its name. */
const BODIES: Readonly<Record<string, string>> = {
  kept: `prove: async () => {}, run: async ({ seed, only }) => ({ cases: 2, failures: [], figures: { seed, only: only ?? 'all' } })`,
  broken: `prove: async () => {}, run: async () => ({ cases: 3, failures: [{ id: 'b-2', message: 'it came twice' }], figures: { twice: 1 } })`,
  thrown: `prove: async () => {}, run: async () => { throw new Error('out of order') }`,
  dead: `prove: async () => {}, run: async () => process.exit(0)`,
  blind: `prove: async () => { throw new Error('saw nothing') }, run: async () => ({ cases: 1, failures: [], figures: {} })`,
  empty: `prove: async () => {}, run: async () => ({ cases: 0, failures: [], figures: {} })`,
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardening-'))
  for (const [index, [name, body]] of Object.entries(BODIES).entries()) {
    mkdirSync(join(folder, name))
    const head = `number: ${index + 1}, name: '${name}', promise: 'It is ${name}',`
    writeFileSync(join(folder, name, 'suite.ts'), `export const suite = { ${head} ${body} }\n`)
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

async function runHardening(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const program = new URL('../../scripts/run-hardening.ts', import.meta.url).pathname
  const env = { ...process.env, HARDENING_SUITES: folder, NEXCODE_BINARY: process.execPath }
  const child = Bun.spawn([process.execPath, program, ...args], { env, stdout: 'pipe', stderr: 'pipe' })
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out: out + error }
}

test('without words all suites are run, from the seed that is always the same', () => {
  expect(parseOptions([], ALL)).toEqual({
    suites: ['first', 'second'],
    seed: DEFAULT_SEED,
    only: undefined,
    isShort: false,
    isJson: false,
    isRecorded: false,
  })
})

test('suites are chosen by name or by the number of their promise', () => {
  expect(parseOptions(['2'], ALL)?.suites).toEqual(['second'])
  expect(parseOptions(['second', 'first', '1'], ALL)?.suites).toEqual(['first', 'second'])
})

test('a random seed is another one each time', () => {
  const seeds = Array.from({ length: 8 }, () => parseOptions(['--seed', 'random'], ALL)?.seed)
  expect(new Set(seeds).size).toBeGreaterThan(1)
})

test.each([['third'], ['--seed many'], ['--seed -1'], ['--case a'], ['--fast'], ['first --case a --record']])(
  'a command line that can not be followed is refused: %s',
  (line) => expect(() => parseOptions(line.split(' '), ALL)).toThrow(UsageError),
)

test('a suite that keeps its promise is told with its figures, and nothing fails', async () => {
  const { code, out } = await runHardening('kept', '--seed', '7')
  expect(code).toBe(0)
  expect(out).toStartWith('seed 7\n')
  expect(out).toMatch(/^1 +kept +2 +0 +[\d.]+ +seed 7, only all$/m)
  expect(out.trimEnd()).toMatch(/1 of 1 suites kept their promise, seed 7, \d+ s$/)
})

test('a broken promise fails the run, and says how the one case is run again, which it then is', async () => {
  const { code, out } = await runHardening('broken')
  expect(code).toBe(1)
  expect(out).toContain('b-2: it came twice')
  expect(out).toContain(`npm run test:hardening -- broken --seed ${DEFAULT_SEED} --case b-2`)
  expect((await runHardening('kept', '--case', 'b-2')).out).toContain('only b-2')
})

test.each([
  ['thrown', 'out of order'],
  ['dead', 'broke off with exit code 0'],
  ['blind', 'did not show that it can fail'],
  ['empty', 'It ran no case.'],
])('a suite that proves nothing has failed: %s', async (name, message) => {
  const { code, out } = await runHardening(name)
  expect(out).toContain(message)
  expect(code).toBe(1)
})

test('for a machine there is one JSON document, with all suites, whatever became of them', async () => {
  const { code, out } = await runHardening('--json', '--short')
  expect(code).toBe(1)
  const told = JSON.parse(out) as { readonly isKept: boolean; readonly suites: readonly { readonly name: string }[] }
  expect(told.isKept).toBe(false)
  expect(told.suites.map(({ name }) => name)).toEqual(Object.keys(BODIES))
})

test('every suite belongs to a promise of the table', async () => {
  const numbers = new Set(PROMISES.map(({ number }) => number))
  const suites = await loadSuites()
  expect(suites.length).toBeGreaterThan(0)
  expect(suites.filter(({ number }) => !numbers.has(number))).toEqual([])
})

test('the random numbers of a case are its own: the same seed and label give the same, others do not', () => {
  const draw = (seed: number, label: string): number[] => {
    const { below } = createRandom(seed, label)
    return Array.from({ length: 5 }, () => below(1000))
  }
  expect(draw(1, 'a')).toEqual(draw(1, 'a'))
  expect(draw(1, 'a')).not.toEqual(draw(1, 'b'))
  expect(draw(1, 'a')).not.toEqual(draw(2, 'a'))
})
