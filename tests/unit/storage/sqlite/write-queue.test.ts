import { expect, test } from 'bun:test'
import { WriteQueue } from '../../../../src/storage/sqlite/write-queue.ts'

class Busy extends Error {}

const isBusy = (cause: unknown): boolean => cause instanceof Busy

/** A write that finds somebody else writing so many times. */
function busyFor(times: number, write: () => string): () => string {
  let left = times
  return () => {
    left -= 1
    if (left >= 0) throw new Busy()
    return write()
  }
}

test('a write that nobody is in the way of is done at once', () => {
  const queue = new WriteQueue({ isBusy, giveUpMs: 1000, pauseMs: 1 })
  expect(queue.run(() => 'done')).toBe('done')
})

test('an error of another kind is thrown at once, or where its turn comes', async () => {
  const queue = new WriteQueue({ isBusy, giveUpMs: 1000, pauseMs: 1 })
  const fail = (): never => {
    throw new Error('full')
  }
  expect(() => queue.run(fail)).toThrow('full')
  const first = queue.run(busyFor(2, () => 'done'))
  const second = queue.run(fail)
  const third = queue.run(() => 'third')
  expect(await first).toBe('done')
  expect(await Promise.resolve(second).catch((cause: unknown) => String(cause))).toBe('Error: full')
  expect(await third).toBe('third')
})

test('writes that have to wait are done in their order, and those after them at once again', async () => {
  const queue = new WriteQueue({ isBusy, giveUpMs: 1000, pauseMs: 1 })
  const order: number[] = []
  const write = (number: number) => (): string => {
    order.push(number)
    return String(number)
  }
  const all = [queue.run(busyFor(3, write(1))), queue.run(write(2)), queue.run(busyFor(1, write(3)))]
  expect(order).toEqual([])
  await queue.idle()
  expect(order).toEqual([1, 2, 3])
  expect(await Promise.all(all)).toEqual(['1', '2', '3'])
  expect(queue.run(write(4))).toBe('4')
})

test('a write that never has its turn is given up', async () => {
  const queue = new WriteQueue({ isBusy, giveUpMs: 5, pauseMs: 1 })
  const cause = await Promise.resolve(queue.run(busyFor(Number.POSITIVE_INFINITY, () => 'done'))).catch(
    (thrown: unknown) => thrown,
  )
  expect(cause).toBeInstanceOf(Busy)
  await queue.idle()
  expect(queue.run(() => 'done')).toBe('done')
})
