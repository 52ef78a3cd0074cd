import { describe, expect, test } from 'bun:test'
import type { ApiError } from '../../../../src/openai/api-error.ts'
import { clientLimits, shareClientTime } from '../../../../src/routing/attempts/client-clock.ts'
import { scriptAttempts, warmUp } from './scripted-attempts.ts'

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

/** After how many ms an attempt at `a` is ended, where `a` and `b` usually take so long; undefined: never. */
function shareOf(leftMs: number, usualMs: number | undefined, nextMs: number | undefined): number | undefined {
  const { clock, deployments } = scriptAttempts()
  const [first, next] = deployments
  if (first === undefined || next === undefined) throw new Error('There are two.')
  if (usualMs !== undefined) warmUp(first, usualMs)
  if (nextMs !== undefined) warmUp(next, nextMs)
  const begunAt = clock.at
  const abort = new AbortController()
  const dueAt = clock.at + leftMs
  shareClientTime({ clientDueAt: () => dueAt }, [first, next], abort, { deadlines: clock.deadlines, now: clock.now })
  for (let ms = 0; ms <= 20_000 && !abort.signal.aborted; ms += 1) clock.advance(1)
  if (!abort.signal.aborted) return undefined
  expect((abort.signal.reason as ApiError).kind).toBe('client_deadline')
  return clock.at - begunAt
}

test('an attempt that another may follow has half of the client’s time where nothing is known', () => {
  expect(shareOf(10_000, undefined, undefined)).toBe(5_000)
})

test('a target that usually takes longer has as long, where the next one’s usual time is left behind it', () => {
  expect(shareOf(10_000, 7_000, 1_000)).toBe(7_000)
  expect(shareOf(10_000, 9_500, 1_000)).toBe(9_000)
  expect(shareOf(10_000, 7_000, 8_000)).toBe(5_000)
  expect(shareOf(10_000, 100, 100)).toBe(5_000)
})

test('without a clock of the client’s there is none, and time that is over leaves a moment', () => {
  expect(shareOf(Number.POSITIVE_INFINITY, 100, 100)).toBeUndefined()
  expect(shareOf(-5, undefined, undefined)).toBe(1)
})
