import { expect, test } from 'bun:test'
import { createBookingQueue } from '../../../src/ledger/booking-queue.ts'
import { LedgerError } from '../../../src/ledger/ledger.ts'
import type { Booking } from '../../../src/ledger/records.ts'
import { makeBooking } from './make-booking.ts'

/** A ledger that keeps what it is given, and fails while it is told to. */
function scriptedLedger() {
  const batches: (readonly Booking[])[] = []
  const script = { fault: undefined as Error | undefined, refuses: undefined as string | undefined, tries: 0 }
  return {
    batches,
    script,
    rows: () => batches.flat().map(({ requestId }) => requestId),
    async book(bookings: readonly Booking[]) {
      script.tries += 1
      if (script.fault !== undefined) throw script.fault
      if (bookings.some(({ requestId }) => requestId === script.refuses)) throw new TypeError('a number is none')
      batches.push(bookings)
    },
  }
}

/** A log that keeps its messages. */
function keptLog() {
  const said: string[] = []
  const say = (_fields: unknown, message?: string): void => void said.push(message ?? '')
  return { said, info: say, warn: say, error: say }
}

/** A queue whose timer does not come: rows are written when it is flushed, or a thousand wait. */
function startQueue() {
  const ledger = scriptedLedger()
  const log = keptLog()
  return { ledger, log, queue: createBookingQueue({ ledger, log, periodMs: 600_000 }) }
}

test('rows are written together, in their order, and each holder hears of it once', async () => {
  const { ledger, queue } = startQueue()
  const booked: string[] = []
  const rows = [makeBooking(), makeBooking(), makeBooking()]
  for (const row of rows) queue.add(row, () => void booked.push(row.requestId))
  expect(booked).toEqual([])
  await queue.flush()
  expect(ledger.batches).toEqual([rows])
  expect(booked).toEqual(rows.map(({ requestId }) => requestId))
})

test('a row waits for others no longer than the period', async () => {
  const ledger = scriptedLedger()
  const queue = createBookingQueue({ ledger, log: keptLog(), periodMs: 1 })
  await new Promise<void>((resolve) => queue.add(makeBooking(), resolve))
  expect(ledger.rows()).toHaveLength(1)
})

test('a thousand rows are written at once, and never more together', async () => {
  const { ledger, queue } = startQueue()
  const done = Promise.withResolvers<void>()
  for (let row = 0; row < 2_500; row += 1) queue.add(makeBooking(), row === 999 ? done.resolve : undefined)
  await done.promise
  await queue.flush()
  expect(ledger.batches.map(({ length }) => length)).toEqual([1_000, 1_000, 500])
})

test('while the books are down, rows wait; it is said once, and all are written when they are back', async () => {
  const { ledger, log, queue } = startQueue()
  const booked: number[] = []
  ledger.script.fault = new LedgerError('The disk is away.')
  queue.add(makeBooking(), () => void booked.push(1))
  await queue.flush()
  queue.add(makeBooking(), () => void booked.push(2))
  await queue.flush()
  expect(booked).toEqual([])
  expect(queue.state()).toEqual({ down: 'The disk is away.' })
  ledger.script.fault = undefined
  await queue.flush()
  expect(booked).toEqual([1, 2])
  expect(queue.state()).toBe('ok')
  expect(log.said).toEqual([
    'the ledger can not be written: its rows wait, and are tried again',
    'the ledger can be written again',
  ])
})

test('the books are tried again by themselves', async () => {
  const ledger = scriptedLedger()
  const queue = createBookingQueue({ ledger, log: keptLog(), periodMs: 1 })
  ledger.script.fault = new LedgerError('The disk is away.')
  const booked = new Promise<void>((resolve) => queue.add(makeBooking(), resolve))
  await queue.flush()
  ledger.script.fault = undefined
  await booked
  expect(ledger.rows()).toHaveLength(1)
})

test('rows that nobody holds wait in a bounded number; those that are held are never dropped', async () => {
  const { ledger, queue } = startQueue()
  ledger.script.fault = new LedgerError('The disk is away.')
  queue.add(makeBooking(), () => undefined)
  await queue.flush()
  for (let row = 0; row < 50_010; row += 1) queue.add(makeBooking())
  const held: number[] = []
  for (let row = 0; row < 5; row += 1) queue.add(makeBooking(), () => void held.push(row))
  ledger.script.fault = undefined
  await queue.flush()
  expect(ledger.rows()).toHaveLength(1 + 50_000 + 5)
  expect(held).toEqual([0, 1, 2, 3, 4])
})

test('a row that can never be written does not stop the others: it is told in the log, and its holder is free', async () => {
  const { ledger, log, queue } = startQueue()
  const rows = [makeBooking(), makeBooking(), makeBooking()]
  const booked: string[] = []
  ledger.script.refuses = rows[1]?.requestId
  for (const row of rows) queue.add(row, () => void booked.push(row.requestId))
  await queue.flush()
  expect(ledger.rows()).toEqual([rows[0]?.requestId ?? '', rows[2]?.requestId ?? ''])
  expect(booked).toHaveLength(3)
  expect(log.said).toEqual(['a row can not be written to the ledger'])
})

test('at the end all that waits is written', async () => {
  const { ledger, queue } = startQueue()
  queue.add(makeBooking())
  await queue.close()
  expect(ledger.rows()).toHaveLength(1)
})

test('rows that can not be written at the end are told of', async () => {
  const { ledger, log, queue } = startQueue()
  ledger.script.fault = new LedgerError('The disk is away.')
  queue.add(makeBooking())
  await queue.close()
  expect(log.said.at(-1)).toBe('rows could not be written to the ledger before the end')
})
