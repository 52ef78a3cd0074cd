import { describe, expect, test } from 'bun:test'
import { parseHttpDate, parseRetryAfter } from '../../../../src/routing/attempts/retry-after.ts'

const NOW = Date.UTC(2026, 0, 1)

describe('a date of HTTP', () => {
  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Thu, 29 Feb 2024 23:59:59 GMT', '2024-02-29T23:59:59.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Wednesday, 01-Jan-76 00:00:00 GMT', '2076-01-01T00:00:00.000Z'],
    ['Friday, 01-Jan-77 00:00:00 GMT', '1977-01-01T00:00:00.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Wed Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
  ])('%s', (text, iso) => {
    expect(new Date(parseHttpDate(text, NOW) ?? Number.NaN).toISOString()).toBe(iso)
  })

  test.each([
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nev 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    '1994-11-06T08:49:37Z',
    '6 Nov 1994',
    '1994',
    '',
  ])('%p is none', (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined()
  })
})

describe('what an answer says about coming back', () => {
  const NOW = Date.UTC(1994, 10, 6, 8, 49, 30)

  test.each([
    ['retry-after', '0', 0],
    ['retry-after', '7', 7000],
    ['retry-after', ' 120 ', 120_000],
    ['retry-after', '1.5', 1500],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:37 GMT', 7000],
    ['retry-after', 'Sunday, 06-Nov-94 08:49:37 GMT', 7000],
    ['retry-after', 'Sun Nov  6 08:49:37 1994', 7000],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:30 GMT', 0],
    ['retry-after-ms', '250', 250],
    ['retry-after-ms', '250.5', 250.5],
  ])('%s: %s', (name, value, ms) => {
    expect(parseRetryAfter(new Headers({ [name]: value }), NOW)).toBe(ms)
  })

  test.each([
    ['retry-after', '-1'],
    ['retry-after', ''],
    ['retry-after', 'soon'],
    ['retry-after', '1e9'],
    ['retry-after', 'Infinity'],
    ['retry-after', '0x10'],
    ['retry-after', '5 seconds'],
    ['retry-after', '9'.repeat(400)],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:29 GMT'],
    ['retry-after', '1994-11-06T08:49:37Z'],
    ['retry-after-ms', '-250'],
    ['retry-after-ms', 'NaN'],
  ])('%s: %s is nothing', (name, value) => {
    expect(parseRetryAfter(new Headers({ [name]: value }), NOW)).toBeUndefined()
  })

  test('is nothing without a header', () => {
    expect(parseRetryAfter(new Headers(), NOW)).toBeUndefined()
  })

  test('in milliseconds goes before what is in seconds, where it is well-formed', () => {
    expect(parseRetryAfter(new Headers({ 'retry-after-ms': '250', 'retry-after': '7' }), NOW)).toBe(250)
    expect(parseRetryAfter(new Headers({ 'retry-after-ms': 'x', 'retry-after': '7' }), NOW)).toBe(7000)
  })
})
