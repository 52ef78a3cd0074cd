import { expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { runProgram } from '../helpers/run-program.ts'

setDefaultTimeout(60_000)

const WRITTEN = new URL('../../examples/nexcode.schema.json', import.meta.url).pathname

test('nexcode schema prints the schema that lies beside the examples: JSON Schema that editors know', async () => {
  const { code, stdout, stderr } = await runProgram(['schema'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toBe(readFileSync(WRITTEN, 'utf8'))
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: { upstreams: expect.anything(), models: expect.anything(), params: expect.anything() },
  })
})

test('it needs no configuration, and is not held up by a bad one', async () => {
  const { code, stdout } = await runProgram(['schema'], { PORT: 'eight', NEXCODE_CONFIG: '/nowhere/nexcode.yaml' })
  expect(code).toBe(0)
  expect(stdout).toStartWith('{')
})
