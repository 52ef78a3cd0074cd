import { describe, expect, test } from 'bun:test'
import { clientDeadlineMs } from '../../../src/failover/client-deadline.ts'

describe('the time that an SDK tells, less a margin', () => {
  test.each([
    ['600', 599_500],
    ['60', 59_500],
    ['5', 4750],
    ['1', 950],
    ['0.4', 350],
    ['0.1', 50],
    [' 2 ', 1900],
  ])('%p seconds are %p ms', (told, ms) => {
    expect(clientDeadlineMs(new Headers({ 'x-stainless-timeout': told }))).toBeCloseTo(ms)
    expect(clientDeadlineMs(new Headers({ 'x-stainless-read-timeout': told }))).toBeCloseTo(ms)
  })

  test.each(['0', '0.09', '-1', 'NaN', 'Infinity', '1e3', '1,5', '', `${'9'.repeat(400)}`])(
    '%p tells nothing',
    (told) => {
      expect(clientDeadlineMs(new Headers({ 'x-stainless-timeout': told }))).toBeUndefined()
    },
  )

  test('is the wait for a byte, where both are told, and nothing where none is', () => {
    const both = new Headers({ 'x-stainless-timeout': '60', 'x-stainless-read-timeout': '2' })
    expect(clientDeadlineMs(both)).toBe(1900)
    expect(clientDeadlineMs(new Headers())).toBeUndefined()
  })
})
