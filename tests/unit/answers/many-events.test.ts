import { expect, test } from 'bun:test'
import { findAnswerIds } from '../../../src/answers/answer-ids.ts'
import { reportModel } from '../../../src/answers/report-model.ts'
import { EventReader } from '../../../src/extensions/event-reader.ts'
import { StreamTail } from '../../../src/formats/sse/stream-tail.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'
import { watchLoop } from '../../helpers/loop-holds.ts'
import { streamOf } from './collect-stream.ts'

const COUNT = 100_000
const EVENT = 'data: {"model":"m","id":"resp_1"}\n\n'
/** All of a long stream in one chunk, as a fast upstream's is. */
const CHUNK = new TextEncoder().encode(EVENT.repeat(COUNT))

/** The most processor time, in ms, for which others may wait for their turn, on the average: a few slices. */
const HOLD_MS_MAX = 20

/** Does work that takes far longer than a slice, and expects that others had their turns meanwhile. */
async function expectTurnsDuring(work: () => Promise<void>): Promise<void> {
  const loop = watchLoop()
  const before = cpuMs()
  await work()
  const tookMs = cpuMs() - before
  loop.stop()
  expect(loop.turns()).toBeGreaterThan(tookMs / HOLD_MS_MAX)
}

test('a chunk of a hundred thousand events has their models replaced with others served in between', async () => {
  let bytes = 0
  await expectTurnsDuring(async () => {
    for await (const part of reportModel(() => 'smart').events.stream(streamOf([CHUNK]))) bytes += part.byteLength
  })
  expect(bytes).toBe(COUNT * EVENT.replace('"m"', '"smart"').length)
})

/** The same stream as a coding gives it: many chunks that are all there, each of less work than a slice. */
function* inChunks(): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < CHUNK.byteLength; at += CHUNK_BYTES) yield CHUNK.slice(at, at + CHUNK_BYTES)
}
const CHUNK_BYTES = 512

test('many chunks that are there at once have their models replaced with others served in between', async () => {
  let bytes = 0
  await expectTurnsDuring(async () => {
    for await (const part of reportModel(() => 'smart').events.stream(streamOf([...inChunks()])))
      bytes += part.byteLength
  })
  expect(bytes).toBe(COUNT * EVENT.replace('"m"', '"smart"').length)
})

test('an extension reads many chunks that are there at once with others served in between', async () => {
  let count = 0
  await expectTurnsDuring(async () => {
    for await (const event of new EventReader(streamOf([...inChunks()]))) if (event.data.includes('resp_1')) count += 1
  })
  expect(count).toBe(COUNT)
})

test('an extension reads a chunk of a hundred thousand events with others served in between', async () => {
  let count = 0
  await expectTurnsDuring(async () => {
    for await (const event of new EventReader(streamOf([CHUNK]))) if (event.data.includes('resp_1')) count += 1
  })
  expect(count).toBe(COUNT)
})

test('a chunk of a hundred thousand events is looked through for ids with others served in between', async () => {
  const ids = new Set<string>()
  const headers = new Headers({ 'content-type': 'text/event-stream' })
  const found = findAnswerIds(headers, (id) => ids.add(id))
  await expectTurnsDuring(async () => {
    found?.add(CHUNK)
    found?.add(new TextEncoder().encode('data: {"id":"resp_last"}\n\n'))
    while (!ids.has('resp_last')) await new Promise((resolve) => void setTimeout(resolve, 1))
  })
  expect([...ids]).toEqual(['resp_1', 'resp_last'])
})

test('of a chunk of a hundred thousand events only the last ones are read for the end of an answer', () => {
  const tail = new StreamTail()
  tail.add(CHUNK)
  tail.add(new TextEncoder().encode('data: [DONE]\n\n'))
  expect(tail.events().at(-1)?.data).toBe('[DONE]')
  const before = tail.eventsBefore()
  expect(before.at(-1)?.data).toBe('{"model":"m","id":"resp_1"}')
  expect(before.length).toBeLessThan(3000)
})

test('a last event that is longer than what is looked at first is found all the same', () => {
  const tail = new StreamTail()
  const data = `{"text":"${'x'.repeat(100_000)}"}`
  tail.add(new TextEncoder().encode(`data: 1\n\ndata: ${data}\n\n`))
  expect(tail.events().at(-1)?.data).toBe(data)
})
