import { expect, test } from 'bun:test'
import { makeId, timeOfId } from '../../../src/ledger/record-id.ts'

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

test('ids tell when they were made, and grow also within a millisecond', () => {
  const now = () => Date.UTC(2099, 0, 1, 0, 0, 5)
  const ids = Array.from({ length: 3000 }, () => makeId('proj_', { now, random }))
  expect(ids.every((id) => /^proj_[0-9A-Za-z]{24}$/.test(id))).toBe(true)
  expect(ids.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.slice(0, 1000).map(timeOfId)).toEqual(Array(1000).fill(now() / 1000))
})

test('of another id no time is told', () => {
  for (const id of ['proj_default', 'key_token.alice', '', 'rl-gpt-4o']) expect(timeOfId(id)).toBeUndefined()
})
