/** A process that reserves, spends and ends as fast as it can, on counters that it shares: `bun race-child.ts FOLDER LIMIT CALLS`. */
import { CounterTable } from '../../../../src/ledger/counters/counter-table.ts'
import { openTableMemory } from '../../../../src/ledger/counters/mapped-memory.ts'
import { ProcessLock } from '../../../../src/ledger/counters/process-lock.ts'
import { takeSeat } from '../../../../src/ledger/counters/process-seat.ts'
import { ReservationTable } from '../../../../src/ledger/counters/reservation-table.ts'

const [folder = '', limit = '0', calls = '0'] = process.argv.slice(2)
const seat = takeSeat(folder)
const lock = new ProcessLock(openTableMemory({ folder, name: 'locks' }, 64), 0, seat)
const counters = new CounterTable(openTableMemory({ folder, name: 'counters' }, CounterTable.bytesOf(64)), 64, lock)
const memory = openTableMemory({ folder, name: 'reservations' }, ReservationTable.bytesOf(256))
const reservations = new ReservationTable(memory, 256, counters, seat)
const budgets = [1n, 2n, 3n].map((name) => ({ slot: counters.slotOf(name, 0), limit: BigInt(limit) }))
const places = [{ slot: counters.slotOf(9n, 0), limit: 100 }]
const record = new TextEncoder().encode('{"key":"k"}')
let spent = 0n
let refused = 0
for (const { slot, spent: seen } of reservations.adopt(true)) {
  spent += seen
  reservations.booked(slot)
}
process.stdout.write('ready\n')
for (let call = 0; call < Number(calls); call += 1) {
  const reserved = reservations.reserve({ amount: 10n, budgets, places }, record)
  if (typeof reserved === 'string' || !('slot' in reserved)) {
    refused += 1
    continue
  }
  const cost = BigInt(call % 11)
  reservations.see(reserved.slot, 1n)
  reservations.end(reserved.slot, cost, record)
  spent += cost
  reservations.booked(reserved.slot)
}
process.stdout.write(`${JSON.stringify({ spent: Number(spent), refused })}\n`)
