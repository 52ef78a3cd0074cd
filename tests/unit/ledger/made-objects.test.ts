import { afterAll, describe, expect, test } from 'bun:test'
import type { UsageQuery } from '../../../src/ledger/ledger.ts'
import type { MadeObject } from '../../../src/ledger/made-objects.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { exportLedger, importLedger } from '../../../src/ledger/transfer.ts'
import { ledgersUnderTest } from './ledgers-under-test.ts'
import { makeBooking, NOON } from './make-booking.ts'

const DAY = 86_400
const MIDNIGHT = NOON - (NOON % DAY)
const QUESTION: UsageQuery = { from: MIDNIGHT, to: MIDNIGHT + 3 * DAY, bucketSeconds: DAY, where: {}, groupBy: [] }
const BATCH_ID = 'b'.repeat(32)

function object(parts: Partial<MadeObject> = {}): MadeObject {
  const made = { id: BATCH_ID, keyId: 'key_a', projectId: 'proj_a', model: 'gpt-4o', at: NOON, isBooked: false }
  return { bookedAs: parts.id ?? BATCH_ID, ...made, ...parts }
}

for (const kind of ledgersUnderTest()) {
  describe(`objects in ${kind.name}`, () => {
    afterAll(kind.end)
    const ledgerTest = (name: string, body: () => Promise<void>): void => {
      test(name, async () => {
        expect(kind.missing).toBeUndefined()
        await body()
      })
    }

    ledgerTest('the first one who is noted as the maker of an object stays it, for all processes', async () => {
      const opened = await kind.open(kind.isShared ? 2 : 1)
      const [ledger] = opened
      const other = opened.at(-1) ?? ledger
      expect(await ledger.object(BATCH_ID)).toBeUndefined()
      await ledger.remember([object(), object({ id: 'c'.repeat(32) })])
      await other.remember([object({ keyId: 'key_b' })])
      expect(await other.object(BATCH_ID)).toEqual(object())
      expect(await ledger.objects('', 1)).toEqual([object()])
      expect(await ledger.objects(BATCH_ID, 9)).toEqual([object({ id: 'c'.repeat(32) })])
      for (const one of new Set(opened)) await one.close()
    })

    ledgerTest('an object is booked once, whenever and by whomever: also one whose maker nobody knows', async () => {
      const opened = await kind.open(kind.isShared ? 2 : 1)
      const [ledger] = opened
      const other = opened.at(-1) ?? ledger
      await ledger.remember([object()])
      const booking = makeBooking({ id: BATCH_ID, isBatch: true, isObject: true })
      const unknown = makeBooking({ id: 'd'.repeat(32), isBatch: true, isObject: true })
      await Promise.all([
        ledger.book([booking, unknown]),
        other.book([
          { ...unknown, at: unknown.at + DAY * 1000, keyId: 'key_z' },
          { ...booking, at: booking.at + 1 },
        ]),
      ])
      await other.book([{ ...booking, at: booking.at + DAY * 1000 }, makeBooking()])
      const { sums } = await ledger.usage(QUESTION)
      expect(sums.reduce((sum, { requests }) => sum + requests, 0)).toBe(3)
      expect((await other.object(BATCH_ID))?.isBooked).toBe(true)
      for (const one of new Set(opened)) await one.close()
    })

    ledgerTest('an object goes when it can not be fetched any more, and no sooner', async () => {
      const [ledger] = await kind.open()
      await ledger.remember([object(), object({ id: 'c'.repeat(32), at: NOON + DAY })])
      await ledger.forget(NOON + 60 * DAY)
      expect(await ledger.objects('', 9)).toHaveLength(2)
      await ledger.forget(NOON + 90 * DAY + 1)
      expect(await ledger.objects('', 9)).toEqual([object({ id: 'c'.repeat(32), at: NOON + DAY })])
      await ledger.close()
    })

    ledgerTest('an export has who made which object, and what is booked of them', async () => {
      const [ledger] = await kind.open()
      await ledger.remember([object(), object({ id: 'c'.repeat(32) })])
      await ledger.book([makeBooking({ id: BATCH_ID, isBatch: true, isObject: true })])
      const taken = await openLedger('memory')
      const lines = async function* (): AsyncGenerator<string> {
        for await (const chunk of exportLedger(ledger)) yield* chunk.split('\n').filter((line) => line !== '')
      }
      await importLedger(taken, lines())
      expect(await taken.objects('', 9)).toEqual(await ledger.objects('', 9))
      await taken.book([makeBooking({ id: BATCH_ID, isBatch: true, isObject: true, at: (NOON + DAY) * 1000 })])
      expect((await taken.usage(QUESTION)).sums.map(({ requests }) => requests)).toEqual([1])
      await taken.close()
      await ledger.close()
    })
  })
}
