import { expect, test } from 'bun:test'
import { RESOURCES } from '../../../src/openai/resources.ts'
import paths from '../../fixtures/openai-paths.json' with { type: 'json' }

test('every path of the specification is served without the prefix /v1 too', () => {
  for (const path of paths) expect(RESOURCES).toContain(path.split('/', 2)[1] ?? '')
})

test('the legacy resources edits and engines are served without the prefix too', () => {
  expect([...RESOURCES]).toEqual(expect.arrayContaining(['edits', 'engines']))
})

test('pages of our own are no resource of OpenAI', () => {
  for (const own of ['', 'v1', 'health', 'healthz', 'ready', 'docs', 'openapi.json', 'metrics']) {
    expect(RESOURCES.has(own)).toBe(false)
  }
})
