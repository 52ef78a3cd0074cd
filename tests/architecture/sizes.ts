import { describe, expect, test } from 'bun:test'
import { readSource, SOURCES, type Source } from './sources.ts'

const FILE_LINES_MAX = 200
const FUNCTION_LINES_MAX = 70
const IMPORTS_MAX = 20
/** A file of so few lines is rarely a thought of its own. */
const SHORT_FILE_LINES = 20
/** How many such files there may be. The aim was 25; the bound only goes down. */
const SHORT_FILES_MAX = 22
/** All lines of src/ for each import of a file of ours: how little is sent around. The aim is 28; the bound only goes up. */
const LINES_PER_IMPORT_MIN = 20

/** Files that may have more than 200 lines: each with the reason why its parts belong together. */
const LONG_FILES: ReadonlyMap<string, string> = new Map([
  ['exchange/exchange.ts', 'all that one request has: its fields are their own documentation, and stand in one list'],
  ['formats/json/canonical-scanner.ts', 'one automaton: each of its steps reads and writes the same fields'],
  ['formats/json/json-parser.ts', 'likewise'],
  ['formats/json/string-editor.ts', 'likewise'],
  ['pricing/prices.json', 'data, made by scripts/update-prices.py'],
])

/** A function of a source file. */
interface FunctionLines {
  /** Its first line in the file, counted from 1. */
  readonly line: number
  /** From its first line to its closing brace, comments and empty lines included. */
  readonly count: number
}

const STATEMENT =
  /^\s*(?:\} )?(?:else if|if|for|while|switch|catch|do|try|class|interface|export (?:interface|class))\b/
const METHOD = /^\s+(?:(?:static|async|override|get|set) )*\*?[#\w]+(?:<.*>)?\(.*\).*\{$/

/** The functions of a text that Biome has formatted: the first line and the closing brace of each stand equally far in. */
function functionsOf(text: string): FunctionLines[] {
  const lines = text.split('\n')
  const indentOf = (line: string): string => /^\s*/.exec(line)?.[0] ?? ''
  return lines.flatMap((line, index) => {
    if (!line.endsWith('{')) return []
    const indent = indentOf(line)
    // A head of several lines ends with `): Type {`; its first line is the last one that stands as far in.
    const isLongHead = line.startsWith(`${indent})`)
    const start = isLongHead ? lines.findLastIndex((one, at) => at < index && indentOf(one) === indent) : index
    const head = lines[start] ?? ''
    const isFunction = isLongHead || /=> \{$|\bfunction\b/.test(line) || METHOD.test(line)
    if (!isFunction || STATEMENT.test(head)) return []
    const end = lines.findIndex((one, at) => at > index && one.startsWith(`${indent}}`))
    return [{ line: start + 1, count: end - start + 1 }]
  })
}

function linesOf({ text }: Source): number {
  return text.trimEnd().split('\n').length
}

describe('sizes', () => {
  test('of functions are measured from the first line of the head to the closing brace', () => {
    const text = [
      'export function one(', // 1
      '  text: string,',
      '): string {',
      '  if (',
      '    text',
      '  ) {',
      '    return text',
      '  }',
      '  return many.map((each) => {', // 9
      '    return each',
      '  })',
      '}', // 12
      'class Two {',
      '  async three(): Promise<void> {', // 14
      '    for (const x of y) {',
      '    }',
      '  }',
      '}',
    ].join('\n')
    expect(functionsOf(text)).toEqual([
      { line: 1, count: 12 },
      { line: 9, count: 3 },
      { line: 14, count: 4 },
    ])
    expect(functionsOf(readSource('app.ts').text).length).toBeGreaterThan(1)
  })

  test('a function has at most 70 lines', () => {
    const long = SOURCES.flatMap(({ path, text }) =>
      functionsOf(text)
        .filter(({ count }) => count > FUNCTION_LINES_MAX)
        .map(({ line, count }) => `${path}:${line} has ${count}`),
    )
    expect(long).toEqual([])
  })

  test('a file has at most 200 lines, but for those that are named with a reason', () => {
    const long = SOURCES.filter((source) => linesOf(source) > FILE_LINES_MAX).map(({ path }) => path)
    expect(long.filter((path) => !LONG_FILES.has(path))).toEqual([])
    expect([...LONG_FILES.keys()].filter((path) => !long.includes(path))).toEqual([])
  })

  test('a file has at most 20 imports', () => {
    const busy = SOURCES.filter(({ imports }) => imports.length > IMPORTS_MAX)
    expect(busy.map(({ path, imports }) => `${path}: ${imports.length}`)).toEqual([])
  })

  test('few files are splinters', () => {
    const short = SOURCES.filter((source) => linesOf(source) <= SHORT_FILE_LINES).map(({ path }) => path)
    expect(short.length > SHORT_FILES_MAX ? short : []).toEqual([])
  })

  test('lines outnumber the imports between files of ours', () => {
    // Counted over all of src/: comments and empty lines are lines, and an import of types alone is one as well.
    const lines = SOURCES.reduce((sum, source) => sum + linesOf(source), 0)
    const imports = SOURCES.reduce((sum, source) => sum + source.imports.filter(({ isOurs }) => isOurs).length, 0)
    expect(lines / imports).toBeGreaterThanOrEqual(LINES_PER_IMPORT_MIN)
  })
})
