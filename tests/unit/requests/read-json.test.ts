import { expect, test } from 'bun:test'
import { openExchangeFor } from '../../../src/cli/explain/request-file.ts'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { type Depth, parseBody } from '../../../src/requests/read-json.ts'

const BYTES_MAX = 1024 * 1024
const LIMITS = { bytesMax: BYTES_MAX, memory: new MemoryBudget(16 * BYTES_MAX) }

test.each([
  ['as places that are noted while its members are read', 'ids'],
  ['later, by a second scan', 'members'],
] as const)('the texts in a long body that may be ids are found %s', async (_when, depth: Depth) => {
  const part = { type: 'file', file: { file_id: 'file-1' }, call_id: 'call_1', name: 'x'.repeat(10_000) }
  const bytes = new TextEncoder().encode(
    JSON.stringify({ messages: [{ content: [part] }], container: { id: 'cntr_1' } }),
  )
  const exchange = openExchangeFor({
    method: 'POST',
    path: '/v1/responses',
    headers: {},
    principal: undefined,
    body: '',
  })
  const { unread } = await parseBody(bytes, exchange, LIMITS, depth)
  // A text behind the end of a skipped value may be found twice.
  expect(new Set(unread?.idTexts)).toEqual(new Set(['file-1', 'cntr_1']))
})
