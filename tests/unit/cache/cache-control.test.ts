import { expect, test } from 'bun:test'
import { readCacheControl, secondsOf } from '../../../src/cache/cache-control.ts'

test.each<[string | null, [string, string][]]>([
  [null, []],
  ['', []],
  ['no-store', [['no-store', '']]],
  [
    'No-Store, MAX-AGE=5',
    [
      ['no-store', ''],
      ['max-age', '5'],
    ],
  ],
  [
    ' no-cache ,, max-age="10" , ',
    [
      ['no-cache', ''],
      ['max-age', '10'],
    ],
  ],
  [
    'private="a, no-store", x="\\"y"',
    [
      ['private', 'a, no-store'],
      ['x', '"y'],
    ],
  ],
  ['max-age=1, max-age=2', [['max-age', '1']]],
  ['max-age = 5, no store, =3, a=b=c, max-age=', []],
  ['x="open', [['open', '']]],
  [`no-store${' '.repeat(1024)}`, []],
])('%p has these directives, and what is malformed is left out', (value, expected) => {
  expect([...readCacheControl(value)]).toEqual(expected)
})

test.each<[string, number | undefined]>([
  ['max-age=0', 0],
  ['max-age=60', 60],
  ['max-age="60"', 60],
  ['max-age=99999999999999999999', 2 ** 31],
  ['max-age', undefined],
  ['max-age=-1', undefined],
  ['max-age=1.5', undefined],
  ['max-age=1e3', undefined],
  ['s-maxage=60', undefined],
])('%p says so many seconds: %p', (value, expected) => {
  expect(secondsOf(readCacheControl(value), 'max-age')).toBe(expected)
})
