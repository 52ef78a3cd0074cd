import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, SOURCES } from './sources.ts'

const ENTRIES_MAX = 26

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
    const tests = [...new Bun.Glob('**/*.test.ts').scanSync(join(ROOT, 'tests/unit'))]
    expect(tests.filter((path) => !rooms.has(dirname(path)))).toEqual([])
    expect(tests.length).toBeGreaterThan(200)
  })

  test(`is one of few: src/ has at most ${ENTRIES_MAX} entries`, () => {
    expect(readdirSync(join(ROOT, 'src')).length).toBeLessThanOrEqual(ENTRIES_MAX)
  })
})
