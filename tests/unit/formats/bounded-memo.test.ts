import { expect, test } from 'bun:test'
import { BoundedMemo, memoize } from '../../../src/formats/bounded-memo.ts'

function counted(): { find: (name: string) => string; asked: string[] } {
  const asked: string[] = []
  const find = memoize(
    (name) => {
      asked.push(name)
      if (name === 'none') throw new Error('there is none')
      return name.toUpperCase()
    },
    { entriesMax: 1000, keyCharsMax: 256 },
  )
  return { find, asked }
}

test('a name is looked up once', () => {
  const { find, asked } = counted()
  expect([find('a'), find('a'), find('__proto__')]).toEqual(['A', 'A', '__PROTO__'])
  expect(asked).toEqual(['a', '__proto__'])
})

test('after a thousand others it is looked up again, and the newer ones are not', () => {
  const { find, asked } = counted()
  for (let number = 0; number <= 1000; number += 1) find(`name ${number}`)
  asked.length = 0
  find('name 1000')
  find('name 1')
  expect(asked).toEqual([])
  find('name 0')
  expect(asked).toEqual(['name 0'])
})

test('a long name is looked up each time, and takes nobody’s place', () => {
  const { find, asked } = counted()
  for (const name of ['x'.repeat(256), 'x'.repeat(257)]) for (let time = 0; time < 2; time += 1) find(name)
  expect(asked.map(({ length }) => length)).toEqual([256, 257, 257])
})

test('what throws is not remembered', () => {
  const { find, asked } = counted()
  for (let time = 0; time < 2; time += 1) expect(() => find('none')).toThrow('there is none')
  expect(asked).toEqual(['none', 'none'])
})

test('undefined is a result that is remembered, too', () => {
  let count = 0
  const find = memoize(
    (): string | undefined => {
      count += 1
      return undefined
    },
    { entriesMax: 1 },
  )
  expect([find('a'), find('a'), count]).toEqual([undefined, undefined, 1])
})

test('what is set comes back, kept or not', () => {
  const memo = new BoundedMemo<number>({ entriesMax: 2, keyCharsMax: 1 })
  expect([memo.set('a', 1), memo.set('long', 2), memo.set('b', 3), memo.set('c', 4)]).toEqual([1, 2, 3, 4])
  expect(['a', 'long', 'b', 'c'].map((key) => memo.get(key))).toEqual([undefined, undefined, 3, 4])
})
