import { expect, test } from 'bun:test'
import { watchUpload } from '../../../src/upstream/upload.ts'

function watcher() {
  const steps: string[] = []
  return {
    steps,
    watch: {
      onWait: () => void steps.push('wait'),
      onProgress: () => void steps.push('progress'),
      onFailure: (cause: unknown) => void steps.push(`failure ${String(cause)}`),
    },
  }
}

test('an upload goes on unchanged, and says at each step whose turn it is', async () => {
  const { steps, watch } = watcher()
  const source = new Response('abc').body ?? new ReadableStream()
  expect(await new Response(watchUpload(source, watch)).text()).toBe('abc')
  expect(steps).toEqual(['wait', 'progress', 'wait', 'progress'])
})

test('an upload that fails tells why, and breaks without a reason that the runtime would print', async () => {
  const { steps, watch } = watcher()
  const source = new ReadableStream<Uint8Array>({ pull: () => Promise.reject('why') }, { highWaterMark: 0 })
  const reader = watchUpload(source, watch).getReader()
  expect(await reader.read().then(String, (reason: unknown) => ({ reason }))).toEqual({ reason: undefined })
  expect(steps).toEqual(['wait', 'failure why'])
})

test('an upstream that wants no more while the client is waited for is no failure of the client', async () => {
  const { steps, watch } = watcher()
  const waiting = Promise.withResolvers<void>()
  const source = new ReadableStream<Uint8Array>({}, { highWaterMark: 0 })
  const reader = watchUpload(source, { ...watch, onWait: waiting.resolve }).getReader()
  const pending = reader.read()
  await waiting.promise
  await reader.cancel()
  expect(await pending).toMatchObject({ done: true })
  await Bun.sleep(0)
  expect(steps).toEqual([])
})

test('an upstream that wants no more cancels the client’s side, which may fail at that', async () => {
  let cancelled: unknown
  const source = new ReadableStream<Uint8Array>({
    cancel(reason) {
      cancelled = reason
      throw new Error('too late')
    },
  })
  await watchUpload(source, watcher().watch).getReader().cancel('enough')
  expect(cancelled).toBe('enough')
})
