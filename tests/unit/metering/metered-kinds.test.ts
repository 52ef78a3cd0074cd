import { expect, test } from 'bun:test'
import { whyUnmetered } from '../../../src/metering/closed-endpoints.ts'
import { meteredKind } from '../../../src/metering/metered-kinds.ts'

test.each([
  ['POST', '/v1/chat/completions', 'call'],
  ['POST', '/chat/completions?x=1', 'call'],
  ['POST', '/v1/audio/speech', 'call'],
  ['GET', '/v1/batches/batch_Ab1', 'batch'],
  ['GET', '/v1/responses/resp_Ab1?stream=true', 'response'],
  ['POST', '/v1/files', undefined],
  ['GET', '/v1/models', undefined],
  ['GET', '/v1/responses/resp_1/input_items', undefined],
  ['DELETE', '/v1/responses/resp_1', undefined],
])('%s %s is counted as: %p', (method, target, kind) => {
  expect(meteredKind(method, target)?.kind).toBe(kind as never)
})

test('an object keeps the letters of its id', () => {
  expect(meteredKind('GET', '/v1/batches/batch_Ab1')).toEqual({ kind: 'batch', id: 'batch_Ab1' })
})

test.each([
  ['POST', 'chat/completions', false],
  ['POST', 'messages', false],
  ['GET', 'batches/batch_1', false],
  ['POST', 'batches', true],
  ['POST', 'batches/batch_1/requests', true],
  ['POST', 'fine_tuning/jobs', true],
  ['GET', 'vector_stores', true],
  ['POST', 'realtime/client_secrets', true],
  ['POST', 'nobody/knows', true],
])('%s %s is closed to a budget: %p', (method, path, isClosed) => {
  expect(whyUnmetered(method, path) !== undefined).toBe(isClosed)
})
