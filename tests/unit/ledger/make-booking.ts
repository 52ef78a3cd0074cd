import type { Booking } from '../../../src/ledger/records.ts'
import { NO_USAGE } from '../../../src/openai/usage/usage.ts'

let made = 0

/** When bookings of tests happen: 2027-01-15 08:00 UTC, in seconds since 1970. */
export const NOON = 1_800_000_000

/** A row of a call of 10 + 5 tokens for 1,000 nano-dollars; each has an id of its own. */
export function makeBooking(parts: Partial<Booking> = {}): Booking {
  made += 1
  return {
    id: made.toString(16).padStart(32, '0'),
    at: NOON * 1000,
    requestId: `req_${made}`,
    keyId: 'key_a',
    projectId: 'proj_a',
    model: 'gpt-4o',
    servedModel: 'gpt-4o-2024-08-06',
    endpoint: 'chat/completions',
    upstream: 'openai',
    tier: 'default',
    isBatch: false,
    usage: { ...NO_USAGE, inputText: 10, outputText: 5 },
    cost: 1_000,
    saved: 0,
    pricedBy: 'table',
    isEstimated: false,
    outcome: 'complete',
    status: 200,
    ...parts,
  }
}
