import { describe, expect, test } from 'bun:test'
import { CounterTable } from '../../../../src/ledger/counters/counter-table.ts'
import { openTableMemory, type TableMemory } from '../../../../src/ledger/counters/mapped-memory.ts'
import { ProcessLock } from '../../../../src/ledger/counters/process-lock.ts'
import { ONLY_SEAT } from '../../../../src/ledger/counters/process-seat.ts'
import { type Adopted, ReservationAdoption } from '../../../../src/ledger/counters/reservation-adoption.ts'
import { ReservationSlots } from '../../../../src/ledger/counters/reservation-slots.ts'
import { ReservationTable } from '../../../../src/ledger/counters/reservation-table.ts'

const SLOTS = 8
const NAMES = [1n, 2n, 3n]

/** Is thrown where a process is killed. */
class Killed extends Error {}

/** A process's view of the tables in a memory. */
interface View {
  readonly counters: CounterTable
  readonly slots: ReservationSlots
  readonly table: ReservationTable
  readonly adoption: ReservationAdoption
}

/** The memories of counters and of reservations. */
type Memories = readonly [TableMemory, TableMemory]

function newMemories(): Memories {
  return [
    openTableMemory(undefined, CounterTable.bytesOf(64)),
    openTableMemory(undefined, ReservationSlots.bytesOf(SLOTS)),
  ]
}

function viewOf([first, second]: Memories): View {
  const lock = new ProcessLock(openTableMemory(undefined, 64), 0, ONLY_SEAT)
  const counters = new CounterTable(first, 64, lock)
  const slots = new ReservationSlots(second, SLOTS, ONLY_SEAT)
  const table = new ReservationTable(slots, counters)
  return { counters, slots, table, adoption: new ReservationAdoption(slots, table, counters, ONLY_SEAT) }
}

/** Has the process of a view killed before its n-th step, counted from 0. Gives whether it was. */
function killAt({ counters, slots }: View, step: number, work: () => void): boolean {
  let left = step
  const tick = (): void => {
    if (left === 0) throw new Killed()
    left -= 1
  }
  const before = <A extends readonly unknown[], R>(run: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      tick()
      return run(...args)
    }
  }
  const settle = counters.settle.bind(counters)
  counters.hold = before(counters.hold.bind(counters))
  counters.enter = before(counters.enter.bind(counters))
  counters.leave = before(counters.leave.bind(counters))
  counters.settle = (slot, held, spent) => {
    tick()
    settle(slot, 0n, spent)
    tick()
    settle(slot, held, 0n)
  }
  slots.set = before(slots.set.bind(slots))
  slots.setState = before(slots.setState.bind(slots))
  slots.write = before(slots.write.bind(slots))
  slots.see = before(slots.see.bind(slots))
  slots.free = before(slots.free.bind(slots))
  try {
    work()
    return false
  } catch (cause) {
    if (cause instanceof Killed) return true
    throw cause
  }
}

/** One whole call of three budgets and a place. */
function call({ counters, slots, table }: View): void {
  const places = [{ slot: counters.slots.slotOf(9n, 0), name: 9n, limit: 5 }]
  const budgets = NAMES.map((name) => ({ slot: counters.slots.slotOf(name, 0), name, limit: 100n }))
  const reserved = table.reserve({ amount: 10n, budgets, places })
  if (reserved.kind !== 'reserved') throw new Error(reserved.kind)
  slots.write(reserved.slot, '"open"')
  slots.see(reserved.slot, 2n)
  slots.write(reserved.slot, '"ended"')
  table.end(reserved.slot, 7n)
}

/** Looks whether all is given back, and what was counted is what is charged, or is known to be uncertain. */
function check({ counters, slots }: View, adopted: readonly Adopted[]): void {
  const charged = adopted.reduce((sum, { spent }) => sum + spent, 0n)
  for (const name of NAMES) {
    const slot = counters.slots.slotOf(name, 0)
    expect(counters.held(slot)).toBe(0n)
    if (counters.isKnown(slot)) expect(counters.spent(slot)).toBe(charged)
  }
  expect(counters.count(counters.slots.slotOf(9n, 0))).toBe(0)
  for (const { slot } of adopted) slots.free(slot)
}

/** Counters of which it is known that nothing has been spent. */
function knowing(memories: Memories): Memories {
  const { counters } = viewOf(memories)
  for (const name of NAMES) counters.tell(counters.slots.slotOf(name, 0), name, 0n, 0n)
  return memories
}

describe('a process that is killed', () => {
  test('before any of the steps of a call leaves nothing held, and what is counted is what is booked', () => {
    let step = 0
    let [uncertain, interrupted] = [0, 0]
    for (;;) {
      const memories = knowing(newMemories())
      const killed = viewOf(memories)
      const isKilled = killAt(killed, step, () => call(killed))
      const next = viewOf(memories)
      const adopted = next.adoption.adopt(true)
      check(next, adopted)
      for (const { record, spent, isInterrupted } of adopted) {
        if (isInterrupted) interrupted += 1
        else expect(record).toBe(spent === 0n ? undefined : '"ended"')
        if (isInterrupted && spent > 0n) expect(record).toBeDefined()
      }
      uncertain += NAMES.filter((name) => !next.counters.isKnown(next.counters.slots.slotOf(name, 0))).length
      expect(next.slots.take()).toBeDefined()
      if (!isKilled) break
      step += 1
    }
    expect(step).toBeGreaterThan(40)
    expect(interrupted).toBeGreaterThan(20)
    // Only within the step that spends, and in that budget alone.
    expect(uncertain).toBeGreaterThan(0)
    expect(uncertain).toBeLessThan(20)
  })

  test('while it ends what another one has left, at any step, leaves that to the next one', () => {
    for (let first = 0; ; first += 3) {
      const seen = knowing(newMemories())
      const probe = viewOf(seen)
      if (!killAt(probe, first, () => call(probe))) break
      for (let second = 0; ; second += 1) {
        const memories = knowing(newMemories())
        const killed = viewOf(memories)
        killAt(killed, first, () => call(killed))
        const adopting = viewOf(memories)
        const isKilled = killAt(adopting, second, () => void adopting.adoption.adopt(true))
        const next = viewOf(memories)
        check(next, next.adoption.adopt(true))
        if (!isKilled) break
      }
    }
  })

  test('in the middle of two calls at once has both counters counted again', () => {
    const memories = knowing(newMemories())
    for (const step of [5, 9, 30]) {
      const killed = viewOf(memories)
      killAt(killed, step, () => call(killed))
    }
    const next = viewOf(memories)
    const adopted = next.adoption.adopt(true)
    expect(adopted).toHaveLength(3)
    check(next, adopted)
  })
})
