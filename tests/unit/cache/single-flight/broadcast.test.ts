import { describe, expect, test } from 'bun:test'
import { Broadcast } from '../../../../src/cache/single-flight/broadcast.ts'
import type { TimedChunk } from '../../../../src/timing/paced-stream.ts'
import { collectStream, streamOf } from '../../answers/collect-stream.ts'
import { bytesOf, textOf } from '../../formats/json/json-texts.ts'
import { handFed, settled } from '../hand-fed-body.ts'

const NEVER = new AbortController().signal

interface Told {
  readonly complete: (readonly TimedChunk[])[]
  readonly broken: unknown[]
  closed: number
}

interface Options {
  readonly runsOn?: boolean
  readonly keptBytesMax?: number
  readonly now?: () => number
}

function broadcastOf(body: ReadableStream<Uint8Array>, options: Options = {}): { one: Broadcast; told: Told } {
  const told: Told = { complete: [], broken: [], closed: 0 }
  const one = new Broadcast(body, {
    now: () => 0,
    keptBytesMax: 1_000_000,
    runsOn: false,
    isInFull: () => false,
    ...options,
    onComplete: (chunks) => told.complete.push(chunks),
    onClosed: () => {
      told.closed += 1
    },
    onEnd: (end, cause) => end === 'broken' && told.broken.push(cause),
  })
  return { one, told }
}

function joined(one: Broadcast, signal = NEVER): ReadableStream<Uint8Array> {
  const stream = one.join(signal)
  if (stream === undefined) throw new Error('nobody can join any more')
  return stream
}

/** A reader that says what it has got so far. */
function reading(one: Broadcast, signal = NEVER) {
  const reader = joined(one, signal).getReader()
  return {
    next: async (): Promise<string> => {
      const { done, value } = await reader.read()
      return done ? '<end>' : textOf(value)
    },
    leave: (reason?: unknown) => reader.cancel(reason),
  }
}

const textsOf = (chunks: readonly TimedChunk[] | undefined): string[] | undefined =>
  chunks?.map(({ bytes }) => textOf(bytes))

describe('a broadcast', () => {
  test('gives the very chunks of its source to one reader, and tells the whole once', async () => {
    let now = 100
    const source = handFed()
    const { one, told } = broadcastOf(source.body, { now: () => now })
    const reader = reading(one)
    for (const text of ['a', 'bc']) {
      const next = reader.next()
      now += 10
      source.give(bytesOf(text))
      expect(await next).toBe(text)
    }
    const last = reader.next()
    expect(told.complete).toEqual([])
    source.end()
    expect(await last).toBe('<end>')
    expect(told.complete).toEqual([
      [
        { bytes: bytesOf('a'), atMs: 10 },
        { bytes: bytesOf('bc'), atMs: 20 },
      ],
    ])
    expect(told).toMatchObject({ broken: [], closed: 0 })
  })

  test('gives 100 readers the whole, whenever they join, from one reading of the source', async () => {
    const source = streamOf(['data: 1\n\n', 'data: 2\n\n', 'data: [DONE]\n\n'])
    const { one, told } = broadcastOf(source)
    const early = Array.from({ length: 50 }, () => collectStream(joined(one)))
    const slow = reading(one)
    expect(await slow.next()).toBe('data: 1\n\n')
    const late = Array.from({ length: 48 }, () => collectStream(joined(one)))
    const all = await Promise.all([...early, ...late])
    // All has come by now, and somebody still reads the whole.
    all.push(await collectStream(joined(one)))
    expect(all).toHaveLength(99)
    for (const { text, isBroken } of all) {
      expect({ text, isBroken }).toEqual({ text: 'data: 1\n\ndata: 2\n\ndata: [DONE]\n\n', isBroken: false })
    }
    expect(await slow.next()).toBe('data: 2\n\n')
    expect(told.complete).toHaveLength(1)
  })

  test('reads its source no further than its fastest reader, and not before anybody reads', async () => {
    const source = handFed()
    const { one } = broadcastOf(source.body)
    const fast = reading(one)
    const slow = reading(one)
    await settled()
    expect(source.pulls()).toBe(0)
    const first = fast.next()
    await settled()
    source.give(bytesOf('a'))
    expect(await first).toBe('a')
    await settled()
    expect(source.pulls()).toBe(1)
    // What the fast one has read is there for the slow one.
    expect(await slow.next()).toBe('a')
    expect(source.pulls()).toBe(1)
    const both = [slow.next(), fast.next()]
    await settled()
    expect(source.pulls()).toBe(2)
    source.give(bytesOf('b'))
    expect(await Promise.all(both)).toEqual(['b', 'b'])
  })

  test('is not held up by a slow reader as long as it keeps less than it may', async () => {
    const { one, told } = broadcastOf(streamOf(Array.from({ length: 100 }, () => 'x')))
    const slow = joined(one)
    expect((await collectStream(joined(one))).text).toHaveLength(100)
    expect(told.complete).toHaveLength(1)
    expect((await collectStream(slow)).text).toHaveLength(100)
  })

  test('passes by chunks without bytes', async () => {
    const { one, told } = broadcastOf(streamOf(['', 'a', '', '', 'b', '']))
    expect((await collectStream(joined(one))).chunks.map(textOf)).toEqual(['a', 'b'])
    expect(textsOf(told.complete[0])).toEqual(['a', 'b'])
  })

  test('keeps a copy of a small piece of a large buffer, and large pieces as they are', async () => {
    const large = new Uint8Array(65_536)
    const { one, told } = broadcastOf(
      new ReadableStream({
        start(controller) {
          controller.enqueue(large.subarray(10, 20))
          controller.enqueue(large)
          controller.close()
        },
      }),
    )
    await collectStream(joined(one))
    expect(told.complete[0]?.map(({ bytes }) => bytes.buffer.byteLength)).toEqual([10, 65_536])
    expect(told.complete[0]?.[1]?.bytes).toBe(large)
  })
})

describe('a source that breaks off', () => {
  test('breaks each reader off with its cause, after all that came before', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body)
    const readers = [reading(one), reading(one)]
    const first = readers[0]?.next()
    source.give(bytesOf('a'))
    expect(await first).toBe('a')
    const second = readers[0]?.next().catch((cause: unknown) => cause)
    const cause = new Error('reset')
    source.fail(cause)
    expect(await second).toBe(cause)
    expect(await readers[1]?.next()).toBe('a')
    expect(await readers[1]?.next().catch((seen: unknown) => seen)).toBe(cause)
    expect(told).toEqual({ complete: [], broken: [cause], closed: 1 })
    expect(one.join(NEVER)).toBeUndefined()
  })
})

describe('a reader that leaves', () => {
  test('cancels nothing while another is left, and the last one cancels the source', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body)
    const [first, second] = [reading(one), reading(one)]
    const pending = first.next()
    await first.leave('enough')
    expect(await pending).toBe('<end>')
    expect(source.cancelled()).toBeUndefined()
    const next = second.next()
    source.give(bytesOf('a'))
    expect(await next).toBe('a')
    await second.leave('me too')
    expect(source.cancelled()).toEqual({ reason: 'me too' })
    expect(told).toEqual({ complete: [], broken: [], closed: 1 })
    expect(one.join(NEVER)).toBeUndefined()
  })

  test('by its signal breaks off at once, and later tells nobody anything', async () => {
    const source = handFed()
    const { one } = broadcastOf(source.body)
    const [gone, over] = [new AbortController(), new AbortController()]
    const first = reading(one, gone.signal)
    const second = reading(one, over.signal)
    const pending = first.next().catch((cause: unknown) => cause)
    gone.abort('client gone')
    expect(await pending).toBe('client gone')
    const last = second.next()
    source.end()
    expect(await last).toBe('<end>')
    over.abort('too late')
    expect(source.cancelled()).toBeUndefined()
  })

  test('after the end cancels nothing', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body)
    const [first, second] = [reading(one), reading(one)]
    const end = first.next()
    source.end()
    expect(await end).toBe('<end>')
    await second.leave()
    expect(source.cancelled()).toBeUndefined()
    expect(told).toMatchObject({ closed: 0 })
  })

  test('whose source does not take it well harms nobody', async () => {
    const body = new ReadableStream<Uint8Array>({ cancel: () => Promise.reject(new Error('busy')) })
    const { one, told } = broadcastOf(body)
    await reading(one).leave()
    await settled()
    expect(told.closed).toBe(1)
  })

  test.each(['chunk', 'end', 'failure'] as const)('hears nothing of what comes after that: a %s', async (what) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ done: boolean; value: Uint8Array | undefined }>()
    // A stream of the platform's ends its reads when it is cancelled; one that does not must do no harm.
    const reader = { read: () => promise, cancel: async () => undefined }
    const { one, told } = broadcastOf({ getReader: () => reader } as unknown as ReadableStream<Uint8Array>)
    const last = reading(one)
    const pending = last.next()
    await settled()
    await last.leave()
    if (what === 'failure') reject(new Error('reset'))
    else resolve({ done: what === 'end', value: what === 'end' ? undefined : bytesOf('a') })
    await settled()
    expect(await pending).toBe('<end>')
    expect(told).toEqual({ complete: [], broken: [], closed: 1 })
  })

  test('before anybody has come is everybody: the source is cancelled', () => {
    const source = handFed()
    const { one } = broadcastOf(source.body)
    one.settle('nobody')
    expect(source.cancelled()).toEqual({ reason: 'nobody' })
  })

  test('among others that wait does not settle it', () => {
    const source = handFed()
    const { one } = broadcastOf(source.body)
    joined(one)
    one.settle('nobody')
    expect(source.cancelled()).toBeUndefined()
  })
})

describe('a broadcast that runs on', () => {
  test('is read to its end when the last reader has left, and can be joined meanwhile', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body, { runsOn: true })
    const first = reading(one)
    const next = first.next()
    await settled()
    source.give(bytesOf('a'))
    expect(await next).toBe('a')
    await first.leave('gone')
    await settled()
    expect(source.pulls()).toBe(2)
    source.give(bytesOf('b'))
    await settled()
    const again = reading(one)
    expect([await again.next(), await again.next()]).toEqual(['a', 'b'])
    await again.leave()
    await settled()
    source.give(bytesOf('c'))
    await settled()
    source.end()
    await settled()
    expect(source.cancelled()).toBeUndefined()
    expect(textsOf(told.complete[0])).toEqual(['a', 'b', 'c'])
    expect((await collectStream(joined(one))).text).toBe('abc')
  })

  test('also where nobody was there from the start', async () => {
    const { one, told } = broadcastOf(streamOf(['a', 'b']), { runsOn: true })
    one.settle(undefined)
    await settled()
    await settled()
    expect(textsOf(told.complete[0])).toEqual(['a', 'b'])
  })

  test('is cancelled once it is more than can be kept: nobody could fetch it again', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body, { runsOn: true, keptBytesMax: 200 })
    one.settle(undefined)
    await settled()
    source.give(new Uint8Array(300))
    await settled()
    expect(source.cancelled()).toBeDefined()
    expect(told).toEqual({ complete: [], broken: [], closed: 1 })
  })
})

describe('a body of more than is kept', () => {
  const CHUNK = new Uint8Array(100).fill(65)

  test('can’t be joined any more, is not told as a whole, and still gets to its readers', async () => {
    const source = streamOf(Array.from({ length: 50 }, () => CHUNK))
    const { one, told } = broadcastOf(source, { keptBytesMax: 1000 })
    const [first, second] = await Promise.all([collectStream(joined(one)), collectStream(joined(one))])
    expect(first?.text).toHaveLength(5000)
    expect(second?.text).toHaveLength(5000)
    expect(told).toEqual({ complete: [], broken: [], closed: 1 })
    expect(one.join(NEVER)).toBeUndefined()
  })

  test('is held back by its slowest reader, and goes on when that reads or leaves', async () => {
    const source = handFed()
    const { one } = broadcastOf(source.body, { keptBytesMax: 250 })
    const [fast, slow] = [reading(one), reading(one)]
    const take = async (): Promise<void> => {
      const next = fast.next()
      await settled()
      source.give(CHUNK)
      await next
    }
    await take()
    await take()
    const third = fast.next()
    await settled()
    expect(source.pulls()).toBe(2)
    // One chunk is let go of, and there is room.
    await slow.next()
    await settled()
    expect(source.pulls()).toBe(3)
    source.give(CHUNK)
    await third
    const fourth = fast.next()
    await settled()
    expect(source.pulls()).toBe(3)
    await slow.leave()
    await settled()
    expect(source.pulls()).toBe(4)
    source.end()
    expect(await fourth).toBe('<end>')
  })

  test('is cancelled by the last one who leaves', async () => {
    const source = handFed()
    const { one, told } = broadcastOf(source.body, { keptBytesMax: 10 })
    const reader = reading(one)
    const next = reader.next()
    source.give(CHUNK)
    await next
    await reader.leave('gone')
    expect(source.cancelled()).toEqual({ reason: 'gone' })
    expect(told.closed).toBe(1)
  })

  test('breaks its readers off where it breaks', async () => {
    const { one, told } = broadcastOf(streamOf([CHUNK, CHUNK], new Error('reset')), { keptBytesMax: 10 })
    expect(await collectStream(joined(one))).toMatchObject({ isBroken: true, text: 'A'.repeat(200) })
    expect(told).toMatchObject({ complete: [], closed: 1 })
    expect(told.broken).toHaveLength(1)
  })
})
