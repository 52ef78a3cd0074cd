import { expect, test } from 'bun:test'
import { Broadcast } from '../../../../src/cache/single-flight/broadcast.ts'
import { MemoryBudget } from '../../../../src/exchange/memory-budget.ts'

const KIB = 1024

function broadcastOf(chunks: number, memory: MemoryBudget) {
  const ends: boolean[] = []
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let count = 0; count < chunks; count += 1) controller.enqueue(new Uint8Array(10 * KIB).fill(count))
      controller.close()
    },
  })
  const broadcast = new Broadcast(source, {
    now: () => 0,
    keptBytesMax: 1024 * KIB,
    memory,
    runsOn: false,
    isInFull: () => false,
    onComplete: () => void ends.push(true),
    onClosed: () => void ends.push(false),
    onEnd: () => undefined,
  })
  return { broadcast, ends }
}

test('what is kept for others counts towards the memory, until the last of them has read it', async () => {
  const memory = new MemoryBudget(200 * KIB)
  const { broadcast, ends } = broadcastOf(10, memory)
  const [one, other] = [1, 2].map(() => broadcast.join(new AbortController().signal))
  expect((await new Response(one).arrayBuffer()).byteLength).toBe(100 * KIB)
  expect(memory.usedBytes).toBeGreaterThan(100 * KIB)
  expect((await new Response(other).arrayBuffer()).byteLength).toBe(100 * KIB)
  expect([memory.usedBytes, ends]).toEqual([0, [true]])
})

test('where there is no memory left, nothing more is kept, and who reads gets all of it', async () => {
  const memory = new MemoryBudget(50 * KIB)
  const { broadcast, ends } = broadcastOf(30, memory)
  const body = broadcast.join(new AbortController().signal)
  expect((await new Response(body).arrayBuffer()).byteLength).toBe(300 * KIB)
  expect([memory.usedBytes, ends]).toEqual([0, [false]])
})

test('what is kept of a body that nobody wants any more is given back', async () => {
  const memory = new MemoryBudget(200 * KIB)
  const { broadcast } = broadcastOf(10, memory)
  const leaving = new AbortController()
  const reader = broadcast.join(leaving.signal)?.getReader()
  await reader?.read()
  leaving.abort(new Error('left'))
  expect(memory.usedBytes).toBe(0)
})
