import { expect, test } from 'bun:test'
import { gatherBody } from '../../../src/extensions/gather-body.ts'
import { arriving, bodyMemoryOf } from './chain-under-test.ts'

test('a body within the limit is there as a whole', async () => {
  const body = await gatherBody(arriving(['ab', 'c']).stream(), 3, bodyMemoryOf())
  expect(body.isComplete).toBe(true)
  expect(new TextDecoder().decode(await body.whole())).toBe('abc')
  expect(await new Response(body.stream()).text()).toBe('abc')
})

test('of a longer one the rest goes on as it comes', async () => {
  const source = arriving(['ab', 'cd', 'ef', 'gh'])
  const body = await gatherBody(source.stream(), 3, bodyMemoryOf())
  expect([body.isComplete, source.asked()]).toEqual([false, 2])
  expect(new TextDecoder().decode(await body.whole())).toBe('abcdefgh')
})

test('who leaves a long one ends its source', async () => {
  let isCancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel() {
      isCancelled = true
    },
  })
  await (await gatherBody(endless, 3, bodyMemoryOf())).stream().cancel()
  expect(isCancelled).toBe(true)
})
