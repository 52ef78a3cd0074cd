import { describe, expect, test } from 'bun:test'
import { BUDGET_WINDOWS, type BudgetWindow, windowAt } from '../../../../src/ledger/counters/budget-window.ts'

const HOUR_MS = 3_600_000

/** A window as texts. */
function told(window: BudgetWindow, timeZone: string, at: string): readonly string[] {
  const { id, startsAt, endsAt } = windowAt(window, timeZone, Date.parse(at))
  return [id, new Date(startsAt).toISOString(), new Date(endsAt).toISOString()]
}

describe('a window of a budget', () => {
  test('of a day goes from midnight to midnight in its time zone', () => {
    expect(told('day', 'Europe/Berlin', '2026-11-30T22:59:59Z')).toEqual([
      ...['2026-11-30', '2026-11-29T23:00:00.000Z', '2026-11-30T23:00:00.000Z'],
    ])
    expect(told('day', 'Europe/Berlin', '2026-11-30T23:00:00Z')[0]).toBe('2026-12-01')
  })

  test('of a week begins on Monday, also over the end of a year', () => {
    expect(told('week', 'UTC', '2027-01-03T23:59:59Z')).toEqual([
      ...['2026-12-28', '2026-12-28T00:00:00.000Z', '2027-01-04T00:00:00.000Z'],
    ])
    expect(told('week', 'UTC', '2027-01-04T00:00:00Z')[0]).toBe('2027-01-04')
  })

  test('of a month goes from the 1st to the next 1st, also in February of a leap year', () => {
    expect(told('month', 'America/New_York', '2028-02-29T12:00:00Z')).toEqual([
      ...['2028-02-01', '2028-02-01T05:00:00.000Z', '2028-03-01T05:00:00.000Z'],
    ])
  })

  test('of all time has no end', () => {
    expect(windowAt('total', 'UTC', 1)).toEqual({ id: '', startsAt: 0, endsAt: Number.POSITIVE_INFINITY })
  })

  test('has 23 hours on the day when clocks are put forward, and 25 when they are put back', () => {
    const hours = (at: string): number => {
      const { startsAt, endsAt } = windowAt('day', 'Europe/Berlin', Date.parse(at))
      return (endsAt - startsAt) / HOUR_MS
    }
    expect([hours('2026-03-29T12:00:00Z'), hours('2026-10-25T12:00:00Z'), hours('2026-10-26T12:00:00Z')]).toEqual([
      23, 25, 24,
    ])
  })

  test('begins at one o’clock where midnight is left out, and at the first of two midnights', () => {
    // Lebanon puts its clocks forward at midnight; Cuba puts them back at one o'clock, to midnight.
    expect(told('day', 'Asia/Beirut', '2026-03-29T12:00:00Z')[1]).toBe('2026-03-28T22:00:00.000Z')
    expect(told('day', 'America/Havana', '2026-11-01T12:00:00Z')[1]).toBe('2026-11-01T04:00:00.000Z')
  })

  test('keeps to zones that are half or three quarters of an hour off', () => {
    expect(told('day', 'Asia/Kolkata', '2026-11-30T18:30:00Z').slice(0, 2)).toEqual([
      '2026-12-01',
      '2026-11-30T18:30:00.000Z',
    ])
    expect(told('day', 'Asia/Kathmandu', '2026-11-30T18:14:59Z')[0]).toBe('2026-11-30')
    expect(told('day', 'Australia/Lord_Howe', '2026-10-04T02:00:00Z').slice(1)).toEqual([
      ...['2026-10-03T13:30:00.000Z', '2026-10-04T13:00:00.000Z'],
    ])
  })

  test('is one after the other, with nothing between and nothing twice, in every zone over a year', () => {
    for (const zone of [
      'Pacific/Kiritimati',
      'Pacific/Pago_Pago',
      'America/St_Johns',
      'Africa/Casablanca',
      'Asia/Tehran',
    ])
      for (const window of BUDGET_WINDOWS.slice(0, 3)) {
        let now = Date.UTC(2026, 0, 1)
        while (now < Date.UTC(2027, 0, 1)) {
          const { startsAt, endsAt } = windowAt(window, zone, now)
          expect([startsAt <= now, endsAt > now, endsAt % 900_000]).toEqual([true, true, 0])
          expect(windowAt(window, zone, endsAt - 1).startsAt).toBe(startsAt)
          expect(windowAt(window, zone, endsAt).startsAt).toBe(endsAt)
          now = endsAt
        }
      }
  })

  test('is another one as soon as a project moves to another zone', () => {
    const now = Date.parse('2026-11-30T23:30:00Z')
    expect([windowAt('day', 'UTC', now).id, windowAt('day', 'Europe/Berlin', now).id]).toEqual([
      '2026-11-30',
      '2026-12-01',
    ])
    expect(windowAt('day', 'UTC', now).id).toBe('2026-11-30')
  })

  test('is found again where the clock is put back', () => {
    const now = Date.parse('2026-12-01T00:00:01Z')
    expect(windowAt('day', 'UTC', now).id).toBe('2026-12-01')
    expect(windowAt('day', 'UTC', now - 2000).id).toBe('2026-11-30')
  })

  test('of a zone that is none throws a RangeError', () => {
    expect(() => windowAt('day', 'Europe/Atlantis', 0)).toThrow(RangeError)
  })
})
