import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ledger } from '../../../../src/ledger/ledger.ts'
import type { Booking } from '../../../../src/ledger/records.ts'
import { NO_USAGE } from '../../../../src/openai/usage/usage.ts'

/** A booking of one call in 1970. `cost` in nano-dollars. */
export function booking(id: string, cost = 0): Booking {
  return {
    ...{ id, at: 1000, requestId: `req_${id}`, keyId: 'key_1', projectId: 'proj_1', model: 'gpt-4o', tier: 'default' },
    ...{ servedModel: 'gpt-4o-2024-08-06', endpoint: 'chat/completions', upstream: 'openai', isBatch: false, saved: 0 },
    ...{ usage: { ...NO_USAGE, inputText: 900 }, cost, pricedBy: 'table', isEstimated: false, status: 200 },
    outcome: 'complete',
  }
}

/**
 * What the processes of a folder have booked: each has a file with a line for each booking. One that is there twice counts once. `more`:
 * what this process has booked.
 */
export function bookedIn(folder: string, more: readonly Booking[] = []): ReadonlyMap<string, number> {
  const booked = new Map<string, number>()
  for (const name of readdirSync(folder).filter((one) => one.startsWith('booked-')))
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      // A process that was killed may have left half a line.
      if (!line.endsWith('}')) continue
      const { id, cost } = JSON.parse(line) as { id: string; cost: number }
      if (!booked.has(id)) booked.set(id, cost)
    }
  for (const { id, cost } of more) if (!booked.has(id)) booked.set(id, cost)
  return booked
}

/** Books that are those files, and what this process has booked. */
export function fileBooks(folder: string, more: readonly Booking[] = []): Pick<Ledger, 'spent' | 'book'> {
  return {
    spent: () => Promise.resolve([...bookedIn(folder, more).values()].reduce((sum, cost) => sum + BigInt(cost), 0n)),
    book: () => Promise.resolve(),
  }
}
