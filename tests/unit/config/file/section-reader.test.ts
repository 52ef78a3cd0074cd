import { expect, test } from 'bun:test'
import { checkFile } from '../../../../src/config/file/check-file.ts'
import { createProblemLog } from '../../../../src/config/file/problems.ts'
import { readDocument } from '../../../../src/config/file/read-document.ts'
import { ANY_CALLERS, SectionReader } from '../../../../src/config/file/section-reader.ts'
import { ConfigFile } from '../../../../src/config/file-schema.ts'

const FILE = `cache:
  ttl: 2h
params:
  - deny: [a, "", b]
  - drop: [c]
debug_headers: $DEBUG
`

/** The reader of a whole file, in which `$DEBUG` is a variable, and what it has reported as lines. */
function read(text: string) {
  const document = readDocument(text, (item) => {
    const hasVariable = item === '$DEBUG'
    return { ok: true, value: { text: hasVariable ? 'true' : item, hasVariable, variable: 'DEBUG' } }
  })
  const log = createProblemLog('f', document.locate)
  const { config, places } = checkFile(ConfigFile, document, log)
  const parts = { file: '/etc/f', upstreamNames: [], callers: ANY_CALLERS, isKeyless: false, readFile: () => 'text' }
  const reader = new SectionReader({ ...parts, places, document, log })
  const lines = () => log.problems().map(({ line, column, path, wrong }) => `${line}:${column} ${path} ${wrong}`)
  return { reader, config, lines }
}

test('a reader reports at the place of its part, be it reached by keys, as an object or as an entry', () => {
  const { reader, config, lines } = read(FILE)
  const [, second] = config.params ?? []
  const deny = config.params?.[0]?.deny ?? []
  reader.at('cache').report({ wrong: 'is one', cure: '' }, 'key')
  reader.at('cache').at('ttl').report({ wrong: 'is two', cure: '' })
  // The empty name is left out of the list: what stands third in the file is the second of it.
  reader.ofEntry(deny, 1).report({ wrong: 'is three', cure: '' })
  reader.of(second ?? {}).report({ wrong: 'is four', cure: '' })
  expect(lines().filter((line) => !line.endsWith('is empty'))).toEqual([
    '1:1 cache is one',
    '2:8 cache.ttl is two',
    '4:19 params[0].deny[2] is three',
    '5:5 params[1] is four',
  ])
})

test('a reader knows what is written at its place, and shows no text out of a variable', () => {
  const { reader } = read(FILE)
  expect([reader.at('cache', 'ttl').isWritten(), reader.at('cache', 'pace').isWritten()]).toEqual([true, false])
  expect([reader.at('debug_headers').variable(), reader.at('cache', 'ttl').variable()]).toEqual(['DEBUG', undefined])
  expect(reader.at('debug_headers').show('true')).toBeUndefined()
  expect(reader.at('cache', 'ttl').show('2h')).toBe('"2h"')
  expect([reader.beside('./a.ts'), reader.beside('/b.ts')]).toEqual(['/etc/a.ts', '/b.ts'])
})
