import { describe, expect, test } from 'bun:test'
import { breathe, Slice } from '../../../src/timing/slices.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'

/** Keeps the processor for so much of its time. */
function work(ms: number): void {
  const endsAt = cpuMs() + ms
  while (cpuMs() < endsAt);
}

/** The longest that the event loop was kept while something went on, in ms of the processor's time. */
async function longestHold(going: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let isOver = false
  let last = cpuMs()
  const look = (): void => {
    const now = cpuMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  await going()
  isOver = true
  return longest
}

/** Work of so many pieces of a tenth of a millisecond, in slices. */
async function inSlices(pieces: number): Promise<void> {
  const slice = Slice.amongMany()
  for (let piece = 0; piece < pieces; piece += 1) {
    if (slice.isOver()) await slice.rest()
    work(0.1)
  }
}

describe('work in slices', () => {
  test('of hundreds who begin at the same moment keeps the loop for no longer than that of one', async () => {
    const hold = await longestHold(() => Promise.all(Array.from({ length: 300 }, () => inSlices(5))))
    // All at once it would be 150 ms.
    expect(hold).toBeLessThan(75)
  })

  test('of several goes on side by side: none waits until another one is through', async () => {
    const ended: number[] = []
    const begin = async (n: number, pieces: number): Promise<void> => {
      await inSlices(pieces)
      ended.push(n)
    }
    await Promise.all([begin(1, 1000), begin(2, 1000), begin(3, 30)])
    expect(ended[0]).toBe(3)
  })

  test('comes to its end, however many wait, and leaves nothing behind', async () => {
    await Promise.all([...Array.from({ length: 50 }, () => breathe()), inSlices(200), inSlices(1)])
    await inSlices(100)
    await breathe()
  })
})
