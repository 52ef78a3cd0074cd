import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { ENDPOINT_TABLE } from '../../../src/openai/endpoint-table.ts'
import { callAt, endpointUse } from '../../../src/openai/endpoint-use.ts'

const SDK = join(import.meta.dir, '../../../node_modules/openai/resources')
const CALLS = ENDPOINT_TABLE.flatMap((row) => (row.kind === 'call' ? row.paths : []))

/** The paths that OpenAI's SDK writes, with an id for each parameter. */
async function pathsOfSdk(): Promise<readonly string[]> {
  const paths = new Set<string>()
  for await (const file of new Bun.Glob('**/*.js').scan(SDK)) {
    const text = await Bun.file(join(SDK, file)).text()
    for (const [, written = ''] of text.matchAll(/(?:path)?[`'](\/[a-z_][^`'\s]*)[`']/g))
      paths.add(written.slice(1).replaceAll(/\$\{[^}]*\}/g, 'id_Ab1'))
  }
  return [...paths]
}

const escapeLetter = (path: string): string => path.replace('e', '%65')
/** Ways to write a path that some server reads as that path, or finds that path in. */
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => `/v1/${path}`,
  (path) => `/${path}`,
  (path) => `/v1/${path}/`,
  (path) => `/v1/${path}?model=gpt-4o`,
  (path) => `/v1/${path.replaceAll('/', '//')}`,
  (path) => `/v1//${path}`,
  (path) => `/v1/${path.toUpperCase()}`,
  (path) => `/v1/${path};v=1`,
  (path) => `/v1/${path}.json`,
  (path) => `/v1/${escapeLetter(path)}`,
  (path) => `/v1/${escapeLetter(path).replace('%', '%25')}`,
  (path) => `/v1/${path.replaceAll('/', '%2f')}`,
  (path) => `/v1/v1/${path}`,
  (path) => `/v1/openai/v1/${path}`,
  (path) => `/v1/engines/gpt-4o/${path}`,
  (path) => `/v1/openai/deployments/gpt-4o/${path}`,
  (path) => `/v1/deployments/gpt-4o/${path}?api-version=1`,
  (path) => `/v1/anything/${path}`,
  (path) => `/v1/${path}/gpt-4o`,
  (path) => `/v1/${path}/${path}`,
]

describe('for every call of a model', () => {
  test.each(CALLS)('%s: no spelling and no method that makes something gets it past the counting', (path) => {
    const usage = callAt(path)?.usage
    for (const spell of SPELLINGS) {
      for (const method of ['POST', 'PUT', 'PATCH', 'QUERY']) {
        const target = spell(path)
        const use = endpointUse(method, target)
        expect([method, target, use.kind === 'call' || use.kind === 'closed']).toEqual([method, target, true])
        expect([method, target, use.counted]).toEqual([method, target, 'call'])
        if (spell === SPELLINGS[0] && method === 'POST') expect([use.kind, use.usage]).toEqual(['call', usage])
      }
    }
  })
})

test('of all that OpenAI’s SDK can call, only what the table names is open to a budget', async () => {
  const paths = await pathsOfSdk()
  expect(paths.length).toBeGreaterThan(150)
  const open = paths.filter((path) => endpointUse('POST', `/v1/${path}`).why === undefined)
  const known = ENDPOINT_TABLE.flatMap((row) => (row.kind !== 'closed' && row.method === 'POST' ? row.paths : []))
  const asKnown = open.map((path) => path.replaceAll('id_Ab1', '{id}').replace(/\?.*/, ''))
  expect(asKnown.filter((path) => !known.includes(path))).toEqual([])
  expect(asKnown).toContain('chat/completions')
  expect(asKnown).not.toContain('videos')
})
