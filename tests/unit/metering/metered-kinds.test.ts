import { expect, test } from 'bun:test'
import { meteredKind } from '../../../src/metering/metered-kinds.ts'

const kindOf = (method: string, requestTarget: string) =>
  meteredKind({ request: { method } as never, requestTarget, isUpgrade: false, body: undefined })

test.each([
  ['POST', '/v1/chat/completions', 'call'],
  ['POST', '/chat/completions?x=1', 'call'],
  ['POST', '/v1/audio/speech', 'call'],
  ['POST', '/v1/engines/gpt-4o/completions', 'call'],
  ['POST', '/v1/fine_tuning/jobs', 'told'],
  ['GET', '/v1/batches/batch_Ab1', 'batch'],
  ['GET', '/v1/responses/resp_Ab1?stream=true', 'response'],
  ['POST', '/v1/responses/resp_Ab1/cancel', 'response'],
  ['POST', '/v1/files', undefined],
  ['GET', '/v1/models', undefined],
  ['GET', '/v1/vector_stores', undefined],
  ['GET', '/v1/responses/resp_1/input_items', undefined],
  ['DELETE', '/v1/responses/resp_1', undefined],
])('%s %s is counted as: %p', (method, target, kind) => {
  expect(kindOf(method, target)?.kind).toBe(kind as never)
})

test('an object keeps the letters of its id', () => {
  expect(kindOf('GET', '/v1//batches/batch_Ab1')).toEqual({ kind: 'batch', id: 'batch_Ab1' })
})
