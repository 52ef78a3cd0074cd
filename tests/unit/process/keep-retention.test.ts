import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { letOldRowsGo } from '../../../src/process/keep-retention.ts'
import { makeBooking } from '../ledger/make-booking.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** A whole day since 1970. */
const NOW = 20_000 * DAY

let ledger: Ledger
const lines: string[] = []
const log = { info: (...said: readonly unknown[]) => void lines.push(String(said[1])), error: () => undefined }

beforeEach(async () => {
  ledger = await openLedger('memory')
  lines.length = 0
})
afterEach(() => ledger.close())

const letGo = (rowDaysMax: number, storeBytesMax = 0) =>
  letOldRowsGo({ rowDaysMax, storeBytesMax }, { ledger, log, now: () => NOW * 1000 })

async function bookAt(...seconds: readonly number[]): Promise<void> {
  await ledger.book(seconds.map((second) => makeBooking({ at: second * 1000, cost: 1 })))
}

const oldest = async (): Promise<number | undefined> => (await ledger.extent()).oldest

test('rows go that are older than so many days, to the second, and their sums stay', async () => {
  await bookAt(NOW - 40 * DAY, NOW - 7 * DAY - 1, NOW - 7 * DAY, NOW - 1)
  await letGo(7)
  expect(await oldest()).toBe(NOW - 7 * DAY)
  expect(await ledger.spent({}, 0, NOW + DAY)).toBe(4n)
  expect(lines).toHaveLength(1)
  await letGo(7)
  expect(lines).toHaveLength(1)
})

test('0 days and no size keep all; an empty ledger has nothing to let go', async () => {
  await letGo(1)
  await bookAt(NOW - 4000 * DAY)
  await letGo(0)
  expect(await oldest()).toBe(NOW - 4000 * DAY)
})

test('the oldest rows go where the ledger holds more than it may, but for those of the last hour', async () => {
  await bookAt(...Array.from({ length: 4000 }, (_one, index) => NOW - 10 * DAY + index * 60), NOW - 60)
  const { bytes = 0 } = await ledger.extent()
  await letGo(0, bytes - 100_000)
  const left = await ledger.extent()
  expect(left.bytes).toBeLessThanOrEqual(bytes - 100_000)
  expect(left.oldest).toBeGreaterThan(NOW - 10 * DAY)
  expect(left.oldest).toBeLessThan(NOW - 8 * DAY)
  await letGo(0, 1)
  expect(await oldest()).toBe(NOW - 60)
})
