import { expect, test } from 'bun:test'
import { dirname } from 'node:path'
import { RESOURCES } from '../../src/openai/resources.ts'

const SOURCES = `${dirname(Bun.resolveSync('openai', import.meta.dir))}/resources`

/** Every path in the SDK's own code: `.post('/files', …)`, or a template tagged `path`. */
async function pathsOfSdk(): Promise<string[]> {
  const paths: string[] = []
  for await (const file of new Bun.Glob('**/*.mjs').scan(SOURCES)) {
    const source = await Bun.file(`${SOURCES}/${file}`).text()
    for (const [, path = ''] of source.matchAll(
      /(?:path ?`|\.(?:get|post|put|patch|delete|getAPIList)\(')(\/[^'`]*)/g,
    )) {
      paths.push(path)
    }
  }
  return paths
}

test('every path that the installed Node SDK calls is served without the prefix /v1 too', async () => {
  const paths = await pathsOfSdk()
  expect(paths.length).toBeGreaterThan(300)
  const unserved = paths.filter((path) => !RESOURCES.has(path.split(/[/?]/, 2)[1] ?? ''))
  expect(unserved).toEqual([])
})
