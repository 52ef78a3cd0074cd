/**
 * A process of callers who spend as fast as they can, until each has made its calls: `bun spender.ts FORM`, as JSON. It says `<n>` after each
 * hundred calls, and `end` behind the last one.
 */
import { createBookingQueue } from '../../../src/ledger/booking-queue.ts'
import { openLocalLimiter } from '../../../src/ledger/counters/local-limiter.ts'
import type { Decision, Limiter } from '../../../src/ledger/limiter.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { createRandom } from '../random.ts'
import { budgetsOf, openRedis, type SpenderForm, spending } from './spending.ts'

const form = JSON.parse(process.argv[2] ?? '{}') as SpenderForm
const { store, folder, redis, seed, name, calls, isWrong } = form
const random = createRandom(seed, name)
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const ledger = await openLedger(store)
const bookings = createBookingQueue({ ledger, log })
const limiter: Limiter =
  redis === undefined
    ? await openLocalLimiter({ folder, ledger, bookings, log })
    : openRedis(redis, { ledger, bookings, log })
let left = calls

/** A limiter that is wrong on purpose: it looks first, and takes afterwards. */
async function decideWrongly(demand: Parameters<Limiter['decide']>[0]): Promise<Decision> {
  for (const [index, budget] of demand.budgets.entries()) {
    const { spent, held } = await limiter.look(budget)
    if (spent + held + demand.amount > budget.limit) return { kind: 'budget', index, spent, held }
  }
  await Bun.sleep(1)
  const budgets = demand.budgets.map((budget) => ({ ...budget, limit: 1n << 60n }))
  return limiter.decide({ ...demand, budgets }, Date.now())
}

/** One call, to its end, whatever that is. */
async function call(): Promise<void> {
  const { amount, cost, seen, pauses, keyId, booking } = spending(random)
  const demand = {
    ...{ rates: [], places: [{ name: keyId, limit: 1000 }], amount: BigInt(amount) },
    ...{ budgets: budgetsOf(keyId, form), booking: booking(0) },
  }
  const decision = await (isWrong ? decideWrongly(demand) : limiter.decide(demand, Date.now()))
  if (decision.kind !== 'granted') return
  const { reservation } = decision
  for (let pause = 0; pause < pauses; pause += 1) {
    await Bun.sleep(0)
    reservation.see(BigInt(Math.floor((seen * (pause + 1)) / pauses)))
  }
  reservation.end({ cost: BigInt(cost), booking: booking(cost) })
}

/** One caller, who tries again while limits can't be decided. */
async function caller(): Promise<void> {
  while (left > 0) {
    left -= 1
    try {
      await call()
    } catch {
      left += 1
      await Bun.sleep(50)
    }
    if (left % 100 === 0) process.stdout.write(`${left}\n`)
  }
}

await Promise.all(Array.from({ length: form.callers }, caller))
await bookings.flush()
await limiter.close()
await bookings.close()
await ledger.close()
process.stdout.write('end\n')
process.exit(0)
