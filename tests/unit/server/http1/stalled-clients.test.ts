import { expect, test } from 'bun:test'
import { MemoryBudget } from '../../../../src/exchange/memory-budget.ts'
import { StalledClients, type StalledCut } from '../../../../src/server/http1/stalled-clients.ts'

const MIB = 1024 * 1024

interface Client {
  isClosed: boolean
  reset(): void
}

function setUp(mib: number) {
  const memory = new MemoryBudget(mib * MIB)
  const cuts: StalledCut[] = []
  let now = 0
  const stalled = new StalledClients({ memory, now: () => now, onCut: (cut) => void cuts.push(cut) })
  const client = (): Client => {
    const one: Client = {
      isClosed: false,
      reset() {
        one.isClosed = true
        stalled.end(one)
      },
    }
    return one
  }
  const pass = (ms: number): void => {
    now += ms
  }
  return { memory, stalled, cuts, client, pass }
}

test('what waits for a client is counted with what is read ahead of it, and given back when it has taken it', () => {
  const { memory, stalled, client } = setUp(8)
  const one = client()
  stalled.add(one, MIB)
  const withAhead = memory.usedBytes
  expect(withAhead).toBeGreaterThan(2 * MIB)
  stalled.add(one, MIB)
  expect(memory.usedBytes).toBe(withAhead + MIB)
  stalled.end(one)
  stalled.end(one)
  expect(memory.usedBytes).toBe(0)
})

test('where there is no memory left, who has taken nothing for longest is cut first', () => {
  const { memory, stalled, cuts, client } = setUp(7)
  const [first, second, third] = [client(), client(), client()]
  stalled.add(first, MIB)
  stalled.add(second, MIB)
  stalled.moved(first)
  stalled.add(third, 2 * MIB)
  expect([first, second, third].map(({ isClosed }) => isClosed)).toEqual([false, true, false])
  expect(cuts).toEqual([{ stalled: 2, memory_bytes: 4.5 * MIB, memory_bytes_max: 7 * MIB }])
  stalled.end(first)
  stalled.end(third)
  expect(memory.usedBytes).toBe(0)
})

test('a client that wants more than there is for all is cut itself, and nobody else', () => {
  const { memory, stalled, client } = setUp(4)
  const [one, other] = [client(), client()]
  stalled.add(other, MIB)
  const before = memory.usedBytes
  stalled.add(one, 5 * MIB)
  expect([one.isClosed, other.isClosed]).toEqual([true, false])
  expect(memory.usedBytes).toBe(before)
})

test('others get the memory of who has taken nothing for a while, and not of who has just done so', () => {
  const { memory, stalled, client, pass } = setUp(4)
  const [slow, quick] = [client(), client()]
  stalled.add(slow, MIB / 2)
  pass(5_000)
  stalled.add(quick, MIB / 2)
  expect(memory.take(2 * MIB)).toBe(true)
  expect([slow.isClosed, quick.isClosed]).toEqual([true, false])
  expect(memory.take(2 * MIB)).toBe(false)
  expect(quick.isClosed).toBe(false)
  expect(memory.take(5 * MIB)).toBe(false)
})
