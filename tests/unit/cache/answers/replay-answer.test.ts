import { describe, expect, test } from 'bun:test'
import { replayBody } from '../../../../src/cache/answers/replay-answer.ts'
import type { StoredAnswer } from '../../../../src/cache/answers/stored-answer.ts'
import type { Pace } from '../../../../src/timing/paced-stream.ts'
import { collectStream } from '../../answers/collect-stream.ts'
import { bytesOf, textOf } from '../../formats/json/json-texts.ts'
import { settled } from '../hand-fed-body.ts'

function answerOf(type: string, chunks: readonly (readonly [text: string, atMs: number])[]): StoredAnswer {
  return {
    status: 200,
    headers: [
      ['x-first', 'text/event-stream'],
      ['content-type', type],
    ],
    chunks: chunks.map(([text, atMs]) => ({ bytes: bytesOf(text), atMs })),
    storedAt: 0,
    ttlMs: 1,
  }
}

const STREAM = answerOf('Text/Event-Stream; charset=utf-8', [
  ['a', 10],
  ['b', 10],
  ['c', 50],
])

/** A clock that is moved by sleeping, and by hand. */
function fakeTime() {
  const slept: number[] = []
  const time = {
    at: 1000,
    slept,
    now: (): number => time.at,
    sleep: async (ms: number): Promise<void> => {
      slept.push(ms)
      time.at += ms
    },
  }
  return time
}

function streamFrom(
  answer: StoredAnswer,
  pace: Pace,
  deps: Parameters<typeof replayBody>[2],
): ReadableStream<Uint8Array> {
  const body = replayBody(answer, pace, deps)
  if (body instanceof Uint8Array) throw new Error('is no stream')
  return body
}

describe('at once', () => {
  test('a kept answer that is no stream is its bytes as one', () => {
    const json = answerOf('application/json', [
      ['{"a"', 0],
      [':1}', 9],
    ])
    const body = replayBody(json, 'instant', fakeTime())
    expect(body instanceof Uint8Array && textOf(body)).toBe('{"a":1}')
    expect(replayBody(answerOf('application/json', []), 'instant', fakeTime())).toEqual(new Uint8Array())
  })

  test('a kept stream is a stream of its very chunks', async () => {
    const time = fakeTime()
    const { chunks } = await collectStream(streamFrom(STREAM, 'instant', time))
    expect(chunks.map(textOf)).toEqual(['a', 'b', 'c'])
    expect(time.slept).toEqual([])
  })

  test('the same stream can be given any number of times', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await collectStream(streamFrom(STREAM, 'instant', fakeTime()))).text).toBe('abc')
    }
  })
})

describe('at the original pace', () => {
  test('each chunk comes as long after the first request for it as it once did', async () => {
    const time = fakeTime()
    const { chunks, isBroken } = await collectStream(streamFrom(STREAM, 'original', time))
    expect(chunks.map(textOf)).toEqual(['a', 'b', 'c'])
    expect(isBroken).toBe(false)
    expect(time.slept).toEqual([10, 40])
  })

  test('a reader that is slower than that waits for nothing', async () => {
    const time = fakeTime()
    const reader = streamFrom(STREAM, 'original', time).getReader()
    await reader.read()
    time.at += 1000
    await reader.read()
    await reader.read()
    expect(time.slept).toEqual([10])
    expect((await reader.read()).done).toBe(true)
  })

  test('an answer that is no stream has its times, too', async () => {
    const time = fakeTime()
    expect((await collectStream(streamFrom(answerOf('application/json', [['{}', 7]]), 'original', time))).text).toBe(
      '{}',
    )
    expect(time.slept).toEqual([7])
  })

  test('a reader that leaves ends the wait', async () => {
    let signal: AbortSignal | undefined
    const sleep = (_ms: number, given: AbortSignal): Promise<void> => {
      signal = given
      return new Promise((_resolve, reject) => {
        given.addEventListener('abort', () => reject(given.reason))
      })
    }
    const reader = streamFrom(STREAM, 'original', { sleep, now: () => 0 }).getReader()
    const next = reader.read()
    await settled()
    expect(signal?.aborted).toBe(false)
    await reader.cancel()
    expect(signal?.aborted).toBe(true)
    expect((await next).done).toBe(true)
    await settled()
  })
})
