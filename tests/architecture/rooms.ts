import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT, SOURCES } from './sources.ts'

const ENTRIES_MAX = 28
const UNIT_TESTS = [...new Bun.Glob('**/*.test.ts').scanSync(join(ROOT, 'tests/unit'))]
/** Files whose tests are about the whole of what stands behind them, and are named after what they test of it. */
const WHOLE_ROOMS: readonly string[] = [
  ...['server/http1/listen.ts', 'demo/simulated-openai.ts', 'storage/open-store.ts'],
  'extensions/load/load-extensions.ts',
]

/** The files of its own part of src/ that a unit test takes values from. */
function subjectsOf(test: string): string[] {
  const text = readFileSync(join(ROOT, 'tests/unit', test), 'utf8')
  const paths = [...text.matchAll(/^(?:import|}) (?!type )[^;']*from '(?:\.\.\/)+src\/([^']+)'/gm)].map(
    ([, path = '']) => path,
  )
  return [...new Set(paths)].filter((path) => path.split('/')[0] === test.split('/')[0])
}

/** The folders of src/, two levels deep: `config`, `config/file`. */
function foldersThere(): string[] {
  const folders = SOURCES.flatMap(({ path }) => {
    const parts = path.split('/').slice(0, -1)
    return parts.slice(0, 2).map((_part, index) => parts.slice(0, index + 1).join('/'))
  })
  return [...new Set(folders)].toSorted()
}

/** The folders that the tree of docs/architecture.md names: one a line, two or four spaces in. */
function foldersTold(): string[] {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  const tree = /```text\nsrc\/\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  let room = ''
  return [...tree.matchAll(/^( {2}| {4})([\w-]+)\/ /gm)]
    .map(([, indent = '', name = '']) => {
      if (indent.length === 2) room = name
      return indent.length === 2 ? name : `${room}/${name}`
    })
    .toSorted()
}

describe('each room', () => {
  test('stands in the tree of docs/architecture.md, and that names no other', () => {
    expect(foldersTold()).toEqual(foldersThere())
    expect(foldersThere()).toContain('config/file')
  })

  test('has its tests in the folder of its own name: tests/unit/ mirrors src/', () => {
    const rooms = new Set(SOURCES.map(({ path }) => dirname(path)))
    expect(UNIT_TESTS.filter((path) => !rooms.has(dirname(path)))).toEqual([])
    expect(UNIT_TESTS.length).toBeGreaterThan(200)
  })

  test('has unit tests that begin with the name of their file, where they are about one alone', () => {
    const files = new Set(SOURCES.map(({ path }) => path.replace(/\.ts$/, '')))
    const misnamed = UNIT_TESTS.filter((path) => {
      const [subject = '', another] = subjectsOf(path)
      if (files.has(path.replace(/(?:\.property)?\.test\.ts$/, ''))) return false
      if (another !== undefined || subject === '' || WHOLE_ROOMS.includes(subject)) return false
      return dirname(subject) !== dirname(path) || !basename(path).startsWith(basename(subject, '.ts'))
    })
    expect(misnamed).toEqual([])
    expect(subjectsOf('storage/sqlite/sqlite-store-crash.test.ts')).toEqual(['storage/sqlite/sqlite-store.ts'])
  })

  test(`is one of few: src/ has at most ${ENTRIES_MAX} entries`, () => {
    expect(readdirSync(join(ROOT, 'src')).length).toBeLessThanOrEqual(ENTRIES_MAX)
  })
})
