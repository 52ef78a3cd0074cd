import { describe, expect, test } from 'bun:test'
import { BODY_BYTES_MAX } from '../../../src/cassettes/cassette.ts'
import { recordAnswer } from '../../../src/cassettes/stage.ts'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { collectStream, streamOf } from '../answers/collect-stream.ts'
import { asked, memoryFolder, openMemoryRecorder, utf8 } from './memory-recorder.ts'

const SSE = new Headers({ 'content-type': 'text/event-stream' })
const COMPLETE = { kind: 'complete' } as const

describe('an exchange is recorded', () => {
  test('when its answer is complete, with the times of its chunks', async () => {
    const { recorder, clock, cassettes, lines, written, folder } = await openMemoryRecorder()
    const recording = recorder.begin(asked({ model: 'm', stream: true }))
    clock.ms = 100
    recording.onHead(200, SSE)
    recording.onChunk(utf8('data: a\n\n'))
    clock.ms = 130
    recording.onChunk(utf8('data: b\n\n'))
    expect(folder.files.size).toBe(0)
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(cassettes()).toEqual([
      {
        cassette: 1,
        recorded_at: '2026-01-02T00:00:00.000Z',
        request: {
          method: 'POST',
          path: '/v1/chat/completions',
          headers: { 'content-type': 'application/json' },
          body: { json: { model: 'm', stream: true } },
        },
        response: {
          status: 200,
          after_ms: 100,
          headers: { 'content-type': 'text/event-stream' },
          events: [
            { at_ms: 0, text: 'data: a\n\n' },
            { at_ms: 30, text: 'data: b\n\n' },
          ],
        },
      },
    ])
    const name = [...folder.files.keys()][0]
    expect(lines).toEqual([{ level: 'info', fields: { cassette: name }, text: 'recorded' }])
    expect(written).toEqual([{ name, cassette: cassettes()[0] } as never])
  })

  test('as it was, whatever becomes of its headers and bytes meanwhile', async () => {
    const { recorder, cassettes } = await openMemoryRecorder()
    const request = asked({ model: 'm' })
    const recording = recorder.begin(request)
    request.headers.set('content-type', 'changed')
    request.body.fill(0)
    const headers = new Headers({ 'content-type': 'text/plain' })
    recording.onHead(200, headers)
    headers.set('content-type', 'changed')
    const chunk = utf8('text')
    recording.onChunk(chunk)
    chunk.fill(0)
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(cassettes()).toMatchObject([
      {
        request: { headers: { 'content-type': 'application/json' }, body: { json: { model: 'm' } } },
        response: { headers: { 'content-type': 'text/plain' }, body: { text: 'text' } },
      },
    ])
  })

  test('once, whatever comes behind its end', async () => {
    const { recorder, folder, lines } = await openMemoryRecorder()
    const recording = recorder.begin(asked({}))
    recording.onHead(200, SSE)
    recording.onEnd(COMPLETE)
    recording.onEnd({ kind: 'cancelled' })
    await recorder.settle()
    expect([folder.files.size, lines.length]).toEqual([1, 1])
  })

  test('under the number of its arrival, however many are under way', async () => {
    const { recorder, folder } = await openMemoryRecorder()
    const recordings = [1, 2, 3].map((n) => recorder.begin(asked({ n })))
    for (const recording of recordings.toReversed()) {
      recording.onHead(200, SSE)
      recording.onEnd(COMPLETE)
    }
    await recorder.settle()
    const byName = [...folder.files].toSorted().map(([, text]) => JSON.parse(text).request.body.json.n)
    expect(byName).toEqual([1, 2, 3])
  })
})

describe('an exchange is not recorded, and the log says so,', () => {
  test.each([
    ['cut', { kind: 'failed', cause: new Error('reset') }],
    ['left', { kind: 'cancelled' }],
  ] as const)('where its answer was %s', async (how, outcome) => {
    const { recorder, folder, lines } = await openMemoryRecorder(['the-key-of-me'])
    const recording = recorder.begin(asked({}, { target: '/v1/the-key-of-me?key=secret' }))
    recording.onHead(200, SSE)
    recording.onChunk(utf8('data: a\n\n'))
    recording.onEnd(outcome)
    await recorder.settle()
    expect(folder.files.size).toBe(0)
    const fields = { path: '/v1/…', why: `the answer was ${how}` }
    expect(lines).toEqual([{ level: 'warn', fields, text: 'not recorded: the answer is not complete' }])
  })

  test('where its answer is larger than can be kept', async () => {
    const { recorder, folder, lines } = await openMemoryRecorder()
    const recording = recorder.begin(asked({}))
    recording.onHead(200, SSE)
    recording.onChunk(new Uint8Array(BODY_BYTES_MAX))
    recording.onChunk(new Uint8Array(1))
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(folder.files.size).toBe(0)
    expect(lines[0]?.fields).toMatchObject({ why: `the answer has more than ${BODY_BYTES_MAX} bytes` })
  })

  test('where nobody can read its answer', async () => {
    const { recorder, folder, lines } = await openMemoryRecorder()
    const recording = recorder.begin(asked({}))
    recording.onHead(200, new Headers({ 'content-encoding': 'gzip' }))
    recording.onChunk(utf8('no gzip'))
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(folder.files.size).toBe(0)
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: { path: '/v1/chat/completions', why: 'its Content-Encoding cannot be read' },
        text: 'not recorded: the answer cannot be kept',
      },
    ])
  })

  test('where there is no memory for it: what it held until then is given back at once', async () => {
    const { recorder, folder, lines } = await openMemoryRecorder()
    const memory = new MemoryBudget(1000)
    const recording = recorder.begin(asked({}), { memory, atEnd: () => undefined })
    recording.onHead(200, SSE)
    recording.onChunk(utf8('x'.repeat(500)))
    expect(memory.usedBytes).toBeGreaterThan(500)
    recording.onChunk(utf8('x'.repeat(500)))
    expect(memory.usedBytes).toBe(0)
    recording.onChunk(utf8('x'))
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(folder.files.size).toBe(0)
    expect(lines.map(({ fields }) => fields)).toEqual([
      { path: '/v1/chat/completions', why: 'there is no memory left for it (MAX_MEMORY_BYTES)' },
    ])
  })

  test('where its file cannot be written: nothing else comes of that', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const folder = { ...memoryFolder(), create: () => Promise.reject(full) }
    const { recorder, lines } = await openMemoryRecorder([], folder)
    const recording = recorder.begin(asked({}))
    recording.onHead(200, SSE)
    recording.onEnd(COMPLETE)
    await recorder.settle()
    expect(lines).toEqual([
      {
        level: 'error',
        fields: { cause: expect.stringContaining('the disk is full') },
        text: 'not recorded: the cassette cannot be written',
      },
    ])
  })
})

test('its memory counts until it is written, or until the exchange ends without an answer', async () => {
  const { recorder, cassettes } = await openMemoryRecorder()
  const memory = new MemoryBudget(10_000)
  const recording = recorder.begin(asked({ model: 'm' }), { memory, atEnd: () => undefined })
  recording.onHead(200, SSE)
  recording.onChunk(utf8('x'.repeat(500)))
  recording.onEnd(COMPLETE)
  expect(memory.usedBytes).toBeGreaterThan(500)
  await recorder.settle()
  expect([memory.usedBytes, cassettes().length]).toEqual([0, 1])
  let end: () => void = () => undefined
  const atEnd = (release: () => void): void => {
    end = release
  }
  recorder.begin(asked({ model: 'm' }), { memory, atEnd })
  expect(memory.usedBytes).toBeGreaterThan(0)
  end()
  expect(memory.usedBytes).toBe(0)
})

test('an exchange without an answer leaves nothing, not even a line', async () => {
  const { recorder, folder, lines } = await openMemoryRecorder()
  recorder.begin(asked({})).onEnd({ kind: 'cancelled' })
  recorder.begin(asked({}))
  await recorder.settle()
  expect([folder.files.size, lines]).toEqual([0, []])
})

describe('an answer that is watched', () => {
  test('passes as it is, and is recorded at its end', async () => {
    const { recorder, cassettes } = await openMemoryRecorder()
    const init = { status: 201, headers: { 'content-type': 'text/event-stream', 'x-other': 'a' } }
    const answer = recordAnswer(new Response(streamOf(['data: a\n\n', 'data: b\n\n']), init), recorder.begin(asked({})))
    expect([answer.status, answer.headers.get('x-other')]).toEqual([201, 'a'])
    if (answer.body === null) throw new Error('no body')
    const { chunks, isBroken } = await collectStream(answer.body)
    expect(chunks.map((chunk) => new TextDecoder().decode(chunk))).toEqual(['data: a\n\n', 'data: b\n\n'])
    expect(isBroken).toBe(false)
    await recorder.settle()
    expect(cassettes()[0]?.response).toMatchObject({
      status: 201,
      events: [{ text: 'data: a\n\n' }, { text: 'data: b\n\n' }],
    })
  })

  test('is recorded at once where it has no body', async () => {
    const { recorder, cassettes } = await openMemoryRecorder()
    const answer = new Response(null, { status: 204 })
    expect(recordAnswer(answer, recorder.begin(asked({})))).toBe(answer)
    await recorder.settle()
    expect(cassettes()[0]?.response).toEqual({ status: 204, after_ms: 0, headers: {} })
  })

  test('breaks where its source breaks, with the same reason, and is not recorded', async () => {
    const { recorder, lines } = await openMemoryRecorder()
    const cause = new Error('reset')
    const answer = recordAnswer(new Response(streamOf(['a'], cause)), recorder.begin(asked({})))
    expect(await answer.text().catch((thrown: unknown) => thrown)).toBe(cause)
    expect(lines[0]?.fields).toMatchObject({ why: 'the answer was cut' })
  })

  test('cancels its source where its reader leaves, and is not recorded', async () => {
    const { recorder, lines } = await openMemoryRecorder()
    const reasons: unknown[] = []
    const source = new ReadableStream<Uint8Array>({
      cancel(reason) {
        reasons.push(reason)
        throw new Error('late')
      },
    })
    await recordAnswer(new Response(source), recorder.begin(asked({}))).body?.cancel('enough')
    expect(reasons).toEqual(['enough'])
    expect(lines[0]?.fields).toMatchObject({ why: 'the answer was left' })
  })
})
