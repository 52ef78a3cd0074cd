import { describe, expect, test } from 'bun:test'
import { clientLimits } from '../../../../src/routing/attempts/client-deadline.ts'

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
    expect(clientLimits(new Headers({ 'x-stainless-timeout': told })).wholeMs).toBeCloseTo(ms)
    expect(clientLimits(new Headers({ 'x-stainless-read-timeout': told })).waitMs).toBeCloseTo(ms)
  })

  test.each(['0', '0.09', '-1', 'NaN', 'Infinity', '1e3', '1,5', '', `${'9'.repeat(400)}`])(
    '%p tells nothing',
    (told) => {
      expect(clientLimits(new Headers({ 'x-stainless-timeout': told })).wholeMs).toBeUndefined()
    },
  )

  test('is one on each wait, one on the whole call, both or none, as it is told', () => {
    const both = new Headers({ 'x-stainless-timeout': '60', 'x-stainless-read-timeout': '2' })
    expect(clientLimits(both)).toEqual({ waitMs: 1900, wholeMs: 59_500 })
    expect(clientLimits(new Headers())).toEqual({ waitMs: undefined, wholeMs: undefined })
  })
})
