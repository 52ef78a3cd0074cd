/**
 * A process that reserves, spends and ends as fast as it can, by counters that it shares, and writes what it books to a file of its own:
 * `bun race-child.ts FOLDER NAME LIMIT CALLS`.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocalLimiter } from '../../../../src/ledger/counters/local-limiter.ts'
import type { BudgetDemand, CallDemand, Limiter } from '../../../../src/ledger/limiter.ts'
import type { Booking } from '../../../../src/ledger/records.ts'
import { booking, fileBooks } from './file-books.ts'

const [folder = '', name = '', limit = '0', calls = '0'] = process.argv.slice(2)
const AMOUNT = 10n

/** The budgets of each call: of a key, its project and all. */
function budgets(): readonly BudgetDemand[] {
  const window = { from: 0, to: 86_400, limit: BigInt(limit) }
  return [{ keyId: 'key_1', ...window }, { projectId: 'proj_1', ...window }, window]
}

function demandOf(id: string): CallDemand {
  const places = [{ name: 'key_1', limit: 100 }]
  return { rates: [], places, budgets: budgets(), amount: AMOUNT, booking: booking(id) }
}

/** Asks for all calls one behind the other, and gives what was granted and refused. */
async function race(limiter: Limiter): Promise<{ granted: number; refused: number }> {
  const counts = { granted: 0, refused: 0 }
  for (let call = 0; call < Number(calls); call += 1) {
    const id = `${name}-${call}`
    const demand = demandOf(id)
    const deciding = limiter.decide(demand, 1000)
    const decision = deciding instanceof Promise ? await deciding : deciding
    if (decision.kind !== 'granted') {
      counts.refused += 1
      continue
    }
    counts.granted += 1
    const cost = call % 11
    decision.reservation.see(1n)
    decision.reservation.end({ cost: BigInt(cost), booking: booking(id, cost) })
  }
  return counts
}

const own = join(folder, `booked-${name}`)
const limiter = await openLocalLimiter({
  folder: join(folder, 'counters'),
  ledger: fileBooks(folder),
  bookings: {
    add(one: Booking, onBooked) {
      appendFileSync(own, `${JSON.stringify({ id: one.id, cost: one.cost })}\n`)
      onBooked()
    },
  },
  log: { warn: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`) },
})
process.stdout.write('ready\n')
process.stdout.write(`${JSON.stringify(await race(limiter))}\n`)
await limiter.close()
