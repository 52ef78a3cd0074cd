import { expect, test } from 'bun:test'
import {
  parseBooking,
  parseBookings,
  stringifyBooking,
  stringifyBookings,
  stringifyShortBooking,
} from '../../../../src/ledger/counters/booking-record.ts'
import { USAGE_FIELDS, type Usage } from '../../../../src/openai/usage/usage.ts'
import { makeBooking } from '../make-booking.ts'

const EACH_COUNT = Object.fromEntries(USAGE_FIELDS.map((name, index) => [name, index + 1])) as unknown as Usage

test('a booking is read as it was written, each field and each count of it', () => {
  const rows = [
    makeBooking({ usage: EACH_COUNT, saved: 7, isBatch: true, isEstimated: true, cache: 'hit' }),
    makeBooking({ isBatch: true, isObject: true }),
    makeBooking({ model: 'a "quoted" name\n', servedModel: '中文' }),
  ]
  for (const row of rows) expect(parseBooking(stringifyBooking(row))).toEqual(row)
  expect(parseBookings(stringifyBookings(rows))).toEqual(rows)
})

test('a booking that a version before has left is read', () => {
  const row = makeBooking()
  expect(parseBooking(JSON.stringify({ ...row, usage: { inputText: 10, outputText: 5 } }))).toEqual(row)
  expect(parseBookings(JSON.stringify([row]))).toEqual([row])
  expect(parseBooking('{')).toBeUndefined()
})

test('names are cut off where a record would be too long, and the id is not', () => {
  const row = makeBooking({ id: 'a'.repeat(64), model: 'm'.repeat(5000) })
  expect(parseBooking(stringifyShortBooking(row))).toMatchObject({ id: row.id, model: 'm'.repeat(48), cost: row.cost })
})
