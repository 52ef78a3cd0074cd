import { expect, test } from 'bun:test'
import { WholeBody } from '../../../../src/server/http1/transaction-body.ts'

test('a body that came with its head gives its bytes away, and keeps none while its answer goes on', async () => {
  const read = new WholeBody(Buffer.from('abc'))
  expect(new TextDecoder().decode(read.whole())).toBe('abc')
  expect(read.whole().byteLength).toBe(0)
  expect(read.length).toBe(3)
  const streamed = new WholeBody(Buffer.from('abc'))
  expect(await new Response(streamed.stream()).text()).toBe('abc')
  expect(streamed.whole().byteLength).toBe(0)
})
