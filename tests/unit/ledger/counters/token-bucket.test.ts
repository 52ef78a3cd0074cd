import { describe, expect, test } from 'bun:test'
import { CounterTable } from '../../../../src/ledger/counters/counter-table.ts'
import { openTableMemory } from '../../../../src/ledger/counters/mapped-memory.ts'
import { ProcessLock } from '../../../../src/ledger/counters/process-lock.ts'
import { ONLY_SEAT } from '../../../../src/ledger/counters/process-seat.ts'
import { correctUnits, lookAtUnits, takeUnits } from '../../../../src/ledger/counters/token-bucket.ts'

const NOW = Date.UTC(2026, 10, 30, 12)
const MINUTE = 60_000

function counters(): CounterTable {
  const lock = new ProcessLock(openTableMemory(undefined, 64), 0, ONLY_SEAT)
  return new CounterTable(openTableMemory(undefined, CounterTable.bytesOf(64)), 64, lock)
}

describe('a token bucket', () => {
  test('gives exactly its limit at once, whether that divides its period or not', () => {
    for (const limit of [1, 3, 7, 60, 333, 9_999, 10_000, 100_001]) {
      const table = counters()
      const slot = table.slots.slotOf(1n, 0)
      const rate = { limit, periodMs: MINUTE }
      let taken = 0
      while (takeUnits(table, slot, rate, 1, NOW).isAllowed) taken += 1
      expect(taken).toBe(limit)
    }
  })

  test('tells how many units are left with each that it gives', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const left = [1, 1, 1].map((units) => takeUnits(table, slot, { limit: 3, periodMs: MINUTE }, units, NOW).remaining)
    expect(left).toEqual([2, 1, 0])
  })

  test('gives a unit again when its time has come, and says before when that is', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const rate = { limit: 1, periodMs: 86_400_000 }
    takeUnits(table, slot, rate, 1, NOW)
    expect(takeUnits(table, slot, rate, 1, NOW + 43_200_000)).toMatchObject({ isAllowed: false, retryMs: 43_200_000 })
    expect(takeUnits(table, slot, rate, 1, NOW + 86_399_999)).toMatchObject({ isAllowed: false, retryMs: 1 })
    expect(takeUnits(table, slot, rate, 1, NOW + 86_400_000)).toMatchObject({ isAllowed: true })
  })

  test('takes nothing where it refuses, where it is only looked at, and for no units', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const rate = { limit: 10, periodMs: MINUTE }
    takeUnits(table, slot, rate, 11, NOW)
    takeUnits(table, slot, rate, 0, NOW)
    lookAtUnits(table, slot, rate, 10, NOW)
    expect(table.time(slot)).toBe(0n)
  })

  test('of no units allows nothing, and never will', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const rate = { limit: 0, periodMs: MINUTE }
    expect(takeUnits(table, slot, rate, 1, NOW)).toMatchObject({ isAllowed: false, retryMs: Number.POSITIVE_INFINITY })
    correctUnits(table, slot, rate, 5, NOW)
    expect(table.time(slot)).toBe(0n)
  })

  test('is never more than full, however much is given back', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const rate = { limit: 10, periodMs: MINUTE }
    takeUnits(table, slot, rate, 8, NOW)
    correctUnits(table, slot, rate, -8, NOW + 2 * MINUTE)
    expect(lookAtUnits(table, slot, rate, 0, NOW + 2 * MINUTE).remaining).toBe(10)
  })

  test('has to be waited for longer where more was used than taken', () => {
    const table = counters()
    const slot = table.slots.slotOf(1n, 0)
    const rate = { limit: 10, periodMs: MINUTE }
    takeUnits(table, slot, rate, 8, NOW)
    correctUnits(table, slot, rate, 7, NOW)
    expect(lookAtUnits(table, slot, rate, 1, NOW)).toMatchObject({ remaining: 0, retryMs: 36_000, resetMs: 90_000 })
  })
})
