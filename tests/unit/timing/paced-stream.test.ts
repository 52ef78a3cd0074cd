import { expect, test } from 'bun:test'
import { pacedStream } from '../../../src/timing/paced-stream.ts'

const CHUNKS = [10, 10, 50].map((atMs, at) => ({ bytes: Uint8Array.of(at), atMs }))

/** A clock that goes on by sleeping, and by hand. */
function fakeTime() {
  const slept: number[] = []
  const time = {
    at: 1000,
    slept,
    now: () => time.at,
    sleep: async (ms: number) => {
      slept.push(ms)
      time.at += ms
    },
  }
  return time
}

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<number[]> =>
  (await Array.fromAsync(stream)).flatMap((chunk) => [...chunk])

test('each chunk comes at its time', async () => {
  const time = fakeTime()
  expect(await bytesOf(pacedStream(CHUNKS, time))).toEqual([0, 1, 2])
  expect(time.slept).toEqual([10, 40])
})

test('what a reader has spent is not waited for again', async () => {
  const time = fakeTime()
  const reader = pacedStream(CHUNKS, time).getReader()
  await reader.read()
  time.at += 25
  await reader.read()
  await reader.read()
  expect(time.slept).toEqual([10, 15])
})

test('without times nobody waits, and nothing is read ahead', async () => {
  let read = 0
  const chunks = (function* () {
    for (const chunk of CHUNKS) {
      read += 1
      yield chunk
    }
  })()
  const reader = pacedStream(chunks, undefined).getReader()
  expect([(await reader.read()).value, read]).toEqual([Uint8Array.of(0), 1])
  expect([(await reader.read()).value, read]).toEqual([Uint8Array.of(1), 2])
})

test('a reader that leaves ends the wait', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const sleep = (_ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      resolve()
    })
  const reader = pacedStream(CHUNKS, { sleep, now: () => 0 }).getReader()
  const next = reader.read()
  await promise
  await reader.cancel()
  expect((await next).done).toBe(true)
})
