/**
 * What a decision about a call and its end cost, with three budgets, two rates and a place: `bun bench/limiter.ts [PROCESSES]`. Each process
 * says how many nanoseconds one takes while the others race for the same counters.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalLimiter } from '../src/ledger/counters/local-limiter.ts'
import type { Booking } from '../src/ledger/records.ts'
import { NO_USAGE } from '../src/openai/usage/usage.ts'

const CALLS = 100_000
const ROUNDS = 5

const BOOKING: Booking = {
  ...{ id: '0'.repeat(32), at: 0, requestId: 'req_0123456789abcdef', keyId: 'key_1', projectId: 'proj_1', saved: 0 },
  ...{ model: 'gpt-4o', servedModel: 'gpt-4o-2024-08-06', endpoint: 'chat/completions', upstream: 'openai', cost: 0 },
  ...{ tier: 'default', isBatch: false, usage: NO_USAGE, pricedBy: 'table', isEstimated: false, status: 200 },
  outcome: 'complete',
}

/** Decides and ends calls in one process, and gives the median of its rounds, in nanoseconds a call. */
async function measure(folder: string): Promise<number> {
  const limiter = await openLocalLimiter({
    folder,
    ledger: { spent: () => Promise.resolve(0n), book: () => Promise.resolve() },
    bookings: { add: (_booking, onBooked) => onBooked() },
    log: { warn: () => undefined },
  })
  const window = { from: 0, to: Number.POSITIVE_INFINITY, limit: 1n << 60n }
  const demand = {
    rates: ['requests', 'tokens'].map((name) => ({ name, limit: 1e12, periodMs: 60_000, units: 1 })),
    places: [{ name: 'key_1', limit: 1000 }],
    budgets: [{ keyId: 'key_1', ...window }, { projectId: 'proj_1', ...window }, window],
    amount: 1000n,
    booking: BOOKING,
  }
  await limiter.decide(demand, Date.now())
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = Bun.nanoseconds()
    for (let call = 0; call < CALLS; call += 1) {
      const decision = limiter.decide(demand, Date.now())
      if (decision instanceof Promise || decision.kind !== 'granted') throw new Error('It was to be granted at once.')
      decision.reservation.end({ cost: 700n, units: [1, 1], booking: BOOKING })
    }
    rounds.push((Bun.nanoseconds() - began) / CALLS)
  }
  await limiter.close()
  return rounds.toSorted((left, right) => left - right)[ROUNDS >> 1] ?? 0
}

const [, , processes = '1', shared] = process.argv
if (shared !== undefined) process.stdout.write(`${Math.round(await measure(shared))}\n`)
else {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-limiter-'))
  const children = Array.from({ length: Number(processes) }, () =>
    Bun.spawn([process.execPath, import.meta.path, '1', folder], { stdout: 'pipe', stderr: 'inherit' }),
  )
  const said = await Promise.all(children.map((child) => new Response(child.stdout).text()))
  rmSync(folder, { recursive: true, force: true })
  process.stdout.write(`${processes} processes: ${said.map((line) => line.trim()).join(', ')} ns a call\n`)
}
