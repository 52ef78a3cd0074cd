import { expect, setDefaultTimeout, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { checkFile } from '../../../src/config/file/check-file.ts'
import { createProblemLog } from '../../../src/config/file/problems.ts'
import { readDocument } from '../../../src/config/file/read-document.ts'
import { ConfigFile, jsonSchema } from '../../../src/config/file-schema.ts'
import { EXAMPLE } from './example.ts'
import { changes } from './file/mutate.ts'
import { isValid } from './file/validate-json-schema.ts'

// A thousand files, on a machine that may be busy.
setDefaultTimeout(60_000)

/** Text and nothing but text: a variable stays as it is written. */
const example = readDocument(EXAMPLE, (text) => ({ ok: true, value: { text, hasVariable: false } }))

/** How many problems the shape of a value has, and whether what is left of it is of the right shape. */
function judge(value: unknown): { problems: number; isRest: boolean } {
  const text = JSON.stringify(value)
  const document = readDocument(text, (item) => ({ ok: true, value: { text: item, hasVariable: false } }))
  const log = createProblemLog('f', document.locate)
  const { config } = checkFile(ConfigFile, document, log)
  return { problems: log.problems().length, isRest: Value.Check(ConfigFile, config) }
}

test('our check agrees with the schema as TypeBox checks it, and as an editor does, whatever is changed in a file', () => {
  const editors = jsonSchema()
  let refused = 0
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 3 }), (list) => {
      const value = list.reduce<unknown>((file, change) => change(file), example.value)
      const { problems } = judge(value)
      expect({ value, isGood: Value.Check(ConfigFile, value) }).toEqual({ value, isGood: problems === 0 })
      expect({ value, isGood: isValid(editors, value) }).toEqual({ value, isGood: problems === 0 })
      if (problems > 0) refused += 1
    }),
    { seed: 5, numRuns: 1000 },
  )
  expect(refused).toBeGreaterThan(300)
})

test('one change brings at most one problem of shape, and leaves the rest checked', () => {
  fc.assert(
    fc.property(changes, (change) => {
      const value = change(example.value)
      const { problems } = judge(value)
      // A text, a list or an object may hold two or three things that are wrong; what is around it must not be hit.
      expect(problems).toBeLessThanOrEqual(2)
    }),
    { seed: 6, numRuns: 500 },
  )
})
