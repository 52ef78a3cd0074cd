import { expect, test } from 'bun:test'
import { Duplex, PassThrough } from 'node:stream'
import { pour } from '../../../../src/server/websocket/pour.ts'
import { createDeadlines } from '../../../../src/timing/deadlines.ts'

const SLICE_BYTES = 64 * 1024

/** A destination that takes a write only when it is told to. */
function createTaker() {
  const taken: Buffer[] = []
  const waiting: (() => void)[] = []
  const stream = new Duplex({
    highWaterMark: SLICE_BYTES,
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      taken.push(chunk)
      waiting.push(() => done())
    },
  })
  return { stream, taken, takeOne: () => waiting.shift()?.() }
}

test('a large chunk goes in slices, so that a destination that takes some of it shows that it is not stalled', async () => {
  let cuts = 0
  const from = new PassThrough()
  const to = createTaker()
  const stall = createDeadlines().start(150, () => {
    cuts += 1
  })
  const chunk = Buffer.alloc(5 * SLICE_BYTES, 'abc')
  const ended = new Promise<void>((resolve) => void to.stream.once('finish', () => resolve()))
  pour(from, to.stream, new Uint8Array(), stall)
  from.end(chunk)
  const slow = setInterval(to.takeOne, 60)
  await ended
  clearInterval(slow)
  expect(Buffer.concat(to.taken).equals(chunk)).toBe(true)
  expect(to.taken.length).toBeGreaterThanOrEqual(5)
  expect(cuts).toBe(0)
})

test('a destination that takes nothing of what waits for it lets the stall limit pass, once', async () => {
  const expired = Promise.withResolvers<void>()
  const from = new PassThrough()
  const to = createTaker()
  pour(
    from,
    to.stream,
    new Uint8Array(),
    createDeadlines().start(20, () => expired.resolve()),
  )
  from.write(Buffer.alloc(2 * SLICE_BYTES))
  await expired.promise
  expect(from.isPaused()).toBe(true)
})

test('a destination that takes nothing of the last bytes lets the stall limit pass too', async () => {
  const expired = Promise.withResolvers<void>()
  const from = new PassThrough()
  pour(
    from,
    createTaker().stream,
    new Uint8Array(),
    createDeadlines().start(20, () => expired.resolve()),
  )
  from.end('the last')
  await expired.promise
})

test('a source whose destination closed while it was full is read on to its end', async () => {
  const from = new PassThrough()
  const to = createTaker()
  pour(
    from,
    to.stream,
    new Uint8Array(),
    createDeadlines().start(0, () => undefined),
  )
  const paused = new Promise<void>((resolve) => void from.once('pause', () => resolve()))
  const ended = new Promise<void>((resolve) => void from.once('end', () => resolve()))
  from.write(Buffer.alloc(2 * SLICE_BYTES))
  from.end(Buffer.alloc(2 * SLICE_BYTES))
  await paused
  to.stream.destroy()
  await ended
  expect(to.taken).toHaveLength(1)
})

test('what was read before goes first, and counts', () => {
  const from = new PassThrough()
  const to = createTaker()
  const flow = pour(
    from,
    to.stream,
    Buffer.from('first'),
    createDeadlines().start(0, () => undefined),
  )
  expect(to.taken.map(String)).toEqual(['first'])
  expect(flow.bytes).toBe(5)
})
