import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { partOf, ROOT, SOURCES } from './sources.ts'

/** Names that two files may export, since they mean the same there: each with the reason why there are two. */
const ONE_MEANING: ReadonlyMap<string, string> = new Map([
  ['Json', 'extensions/load/types-file.ts is the text of nexcode.d.ts, which stands alone'],
  ['JsonObject', 'likewise'],
])

const EXPORT = /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm

/** The exported names of src/ with the files that export them; demo/ is left out, for it imports nothing of ours. */
function exportedNames(): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  for (const { path, code } of SOURCES.filter((source) => partOf(source.path) !== 'demo/')) {
    for (const [, name = ''] of code.matchAll(EXPORT)) names.set(name, (names.get(name) ?? new Set()).add(path))
  }
  return names
}

describe('an exported name', () => {
  test('has one meaning: no two files export it', () => {
    const names = exportedNames()
    expect(names.get('createApp')).toEqual(new Set(['app.ts']))
    const twice = [...names].filter(([, paths]) => paths.size > 1)
    const unexplained = twice.filter(([name]) => !ONE_MEANING.has(name))
    expect(unexplained.map(([name, paths]) => `${name}: ${[...paths].join(', ')}`)).toEqual([])
    expect([...ONE_MEANING.keys()].filter((name) => !twice.some(([one]) => one === name))).toEqual([])
  })
})

/** A function or constant with its doc comment's example. */
const EXAMPLE =
  /\/\*\*(?:(?!\*\/)[\s\S])*?@example((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:async )?(?:function\*?|const) (\w+)/g

describe('an example in a comment', () => {
  test('shows the function that it stands above', () => {
    const shown = SOURCES.flatMap(({ path, text }) =>
      [...text.matchAll(EXAMPLE)].map(([, example = '', name = '']) => ({ path, name, example })),
    )
    expect(shown.length).toBeGreaterThan(100)
    const others = shown.filter(({ name, example }) => !example.includes(name))
    expect(others.map(({ path, name }) => `${path}: ${name}`)).toEqual([])
  })
})

describe('the glossary', () => {
  test('names types that are there', () => {
    const page = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8')
    const rows = [...page.matchAll(/^\| ([^|]+) \| (?:`(\w+)`)? ?\|/gm)].map(([, word = '', name]) => ({ word, name }))
    expect(rows).toContainEqual({ word: 'exchange', name: 'Exchange' })
    const names = exportedNames()
    expect(rows.filter(({ name }) => name !== undefined && !names.has(name))).toEqual([])
    // A word has one row: whoever looks it up finds one meaning.
    const words = rows.map(({ word }) => word).filter((word) => word !== 'Word')
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([])
  })
})
