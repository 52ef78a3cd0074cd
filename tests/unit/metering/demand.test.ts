import { expect, test } from 'bun:test'
import { Exchange } from '../../../src/exchange/exchange.ts'
import type { KeyEntry, Limits } from '../../../src/ledger/records.ts'
import { CallerLimits } from '../../../src/metering/caller-limits.ts'
import { callDemand } from '../../../src/metering/demand.ts'

const limits: Limits = { spend: { day: 5n }, rates: [] }
const shared = { createdAt: 0, limits, managedBy: 'api' } as const

test('a budget’s window is by the calendar of whom it belongs to: the project’s, or the organization’s', () => {
  const entry: KeyEntry = {
    ...{ id: 'key_1', kind: 'key', expiresAt: 0, limits },
    project: { ...shared, kind: 'project', id: 'proj_1', name: 'team', timeZone: 'Asia/Tokyo' },
    organization: { ...shared, kind: 'organization', id: 'org', timeZone: 'UTC' },
  }
  const request = new Request('http://localhost/v1/chat/completions')
  const exchange = new Exchange(
    request,
    { target: '/v1/chat/completions', isHttp10: false, abort: new AbortController(), body: undefined },
    {},
  )
  exchange.identify({ kind: 'key', id: entry.id, token: undefined as never, entry })
  const demand = callDemand(new CallerLimits(entry), 'gpt-4o', { tokens: 1, images: 0, amount: 1n }, exchange)
  const hours = demand?.budgets.map(({ from }) => new Date(from * 1000).getUTCHours())
  expect(hours).toEqual([15, 15, 0])
})
