import { expect, test } from 'bun:test'
import { ignoreRejection } from '../../../src/formats/ignore-rejection.ts'

test('gives what a promise gives, and undefined in place of a failure, or where there is none', async () => {
  expect(await ignoreRejection(Promise.resolve(3))).toBe(3)
  expect(await ignoreRejection(Promise.reject(new Error('cancelled')))).toBeUndefined()
  expect(await ignoreRejection(undefined)).toBeUndefined()
})
