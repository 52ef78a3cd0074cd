import { expect, mock, test } from 'bun:test'
import { answerEndOf } from '../../../src/exchange/answer-end.ts'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { collectStream, streamOf, tap } from './collect-stream.ts'

const onEndMock = () => mock<(outcome: Outcome, bytes: number) => void>()

test('every chunk goes on as it came, and the end is reported once as complete with its bytes', async () => {
  const onEnd = onEndMock()
  const { chunks, isBroken } = await collectStream(tap(streamOf(['data: 1', '\n\n', 'data: 2\n\n']), { onEnd }))
  expect(chunks.map((chunk) => new TextDecoder().decode(chunk))).toEqual(['data: 1', '\n\n', 'data: 2\n\n'])
  expect(isBroken).toBe(false)
  expect(onEnd.mock.calls).toEqual([[{ kind: 'complete' }, 18]])
})

test('a source that fails makes the body fail, never end, without a reason that the runtime would print', async () => {
  const onEnd = onEndMock()
  const cause = new Error('reset')
  const reader = tap(streamOf(['abc'], cause), { onEnd }).getReader()
  await reader.read()
  expect(await reader.read().then(String, (reason: unknown) => ({ reason }))).toEqual({ reason: undefined })
  expect(onEnd.mock.calls).toEqual([[{ kind: 'failed', cause }, 3]])
})

test('a reader that leaves is reported once as cancelled, and cancels the source', async () => {
  const onEnd = onEndMock()
  const onCancel = mock<(reason: unknown) => void>()
  const source = new ReadableStream<Uint8Array>({ cancel: onCancel }, { highWaterMark: 0 })
  const reader = tap(source, { onEnd }).getReader()
  const pending = reader.read()
  await reader.cancel('left')
  expect(await pending).toEqual({ done: true, value: undefined })
  expect(onCancel.mock.calls).toEqual([['left']])
  expect(onEnd.mock.calls).toEqual([[{ kind: 'cancelled' }, 0]])
})

test('a source that fails on being cancelled is still a cancelled one, reported once', async () => {
  const onEnd = onEndMock()
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = []
  const source = new ReadableStream<Uint8Array>(
    {
      start: (controller) => void controllers.push(controller),
      cancel() {
        throw new Error('cancel failed')
      },
    },
    { highWaterMark: 0 },
  )
  const reader = tap(source, { onEnd }).getReader()
  const pending = reader.read().catch(() => undefined)
  await reader.cancel()
  await pending
  expect(onEnd.mock.calls).toEqual([[{ kind: 'cancelled' }, 0]])
})

test('a stream is never read ahead of its reader', async () => {
  let pulls = 0
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulls += 1
        controller.enqueue(new Uint8Array(1))
      },
    },
    { highWaterMark: 0 },
  )
  const reader = tap(source, { onEnd: () => undefined }).getReader()
  await Bun.sleep(5)
  expect(pulls).toBe(0)
  await reader.read()
  await reader.read()
  await Bun.sleep(5)
  expect(pulls).toBe(2)
  await reader.cancel()
})

test('the first chunk is told once, and an empty one is none', async () => {
  const onFirstChunk = mock<() => void>()
  const chunks = [new Uint8Array(), new Uint8Array(), new Uint8Array(2), new Uint8Array(3)]
  await collectStream(tap(streamOf(chunks), { onFirstChunk, onEnd: () => undefined }))
  expect(onFirstChunk).toHaveBeenCalledTimes(1)
})

test('a slow reader never counts as a silent source: the clock runs only while the source is waited for', async () => {
  const steps: string[] = []
  const idle = {
    touch: () => void steps.push('touch'),
    suspend: () => void steps.push('suspend'),
    clear: () => void steps.push('clear'),
  }
  const reader = tap(streamOf(['a', 'b']), { idle, onEnd: () => undefined }).getReader()
  await reader.read()
  expect(steps).toEqual(['touch', 'suspend'])
  await reader.read()
  await reader.read()
  expect(steps).toEqual(['touch', 'suspend', 'touch', 'suspend', 'touch', 'clear'])
})

test('the last words are asked for with the end of what was sent, however it was cut, and go out before the break', async () => {
  const cause = new Error('reset')
  const events = new Response(null, { headers: { 'content-type': 'text/event-stream' } })
  for (const chunks of [['data: 1\n\n'], ['data: 1', '\n', '\n'], [...'data: 1\n\n']]) {
    const asked: unknown[] = []
    const tapped = tap(streamOf(chunks, cause), {
      onEnd: () => undefined,
      end: answerEndOf(
        { request: new Request('http://x', { method: 'POST' }), requestTarget: '/v1/chat/completions' },
        events,
        {
          isUpstreams: true,
          deadlines: createDeadlines(),
        },
      ),
      finalBytesFor(tail, seen) {
        asked.push([new TextDecoder().decode(tail), seen])
        return new TextEncoder().encode('bye')
      },
    })
    const { text, isBroken } = await collectStream(tapped)
    expect(asked).toEqual([['1\n\n', cause]])
    expect([text, isBroken]).toEqual(['data: 1\n\nbye', true])
  }
})
