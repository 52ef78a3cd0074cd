import { describe, expect, test } from 'bun:test'
import { StreamSource } from '../../../../src/server/http1/stream-source.ts'
import { streamByHand } from '../../../helpers/stream-by-hand.ts'

const textsOf = (source: StreamSource): readonly string[] =>
  source.take().map((chunk) => Buffer.from(chunk).toString('latin1'))

const more = (source: StreamSource): Promise<void> => new Promise((resolve) => source.onceMore(resolve))

describe('a source that reads a stream', () => {
  test('gives all chunks that are there together, and none where none has come', async () => {
    const { stream, give } = streamByHand()
    const source = new StreamSource(stream)
    expect(textsOf(source)).toEqual([])
    const come = more(source)
    give('one')
    give('two')
    give('three')
    await come
    expect(textsOf(source)).toEqual(['one', 'two', 'three'])
    expect(textsOf(source)).toEqual([])
    expect(source.end).toBeUndefined()
  })

  test('calls back once for each time that it is asked', async () => {
    const { stream, give } = streamByHand()
    const source = new StreamSource(stream)
    let calls = 0
    source.take()
    source.onceMore(() => {
      calls += 1
    })
    give('one')
    await Bun.sleep(0)
    expect(textsOf(source)).toEqual(['one'])
    give('two')
    await Bun.sleep(0)
    expect(calls).toBe(1)
    expect(textsOf(source)).toEqual(['two'])
  })

  test('tells its end once all chunks before it have been taken', async () => {
    const { stream, give, end } = streamByHand()
    give('one')
    end()
    const source = new StreamSource(stream)
    expect(source.end).toBeUndefined()
    expect(textsOf(source)).toEqual(['one'])
    expect(source.end).toEqual({ isBroken: false })
    expect(textsOf(source)).toEqual([])
  })

  test('tells the cause of a break, also of one that comes while nobody waits, and leaves no rejection unhandled', async () => {
    const { stream, give, breakOff } = streamByHand()
    const source = new StreamSource(stream)
    source.take()
    give('one')
    await Bun.sleep(0)
    expect(textsOf(source)).toEqual(['one'])
    const cause = new Error('cut')
    breakOff(cause)
    await Bun.sleep(0)
    expect(textsOf(source)).toEqual([])
    expect(source.end).toEqual({ isBroken: true, cause })
  })

  test('asks for one chunk ahead of its reader at most, however long that takes', async () => {
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          pulls += 1
          await Bun.sleep(0)
          controller.enqueue(new Uint8Array([pulls]))
        },
      },
      { highWaterMark: 0 },
    )
    const source = new StreamSource(stream)
    source.take()
    await more(source)
    expect(source.take()).toEqual([new Uint8Array([1])])
    await Bun.sleep(20)
    expect(pulls).toBe(2)
    expect(source.take()).toEqual([new Uint8Array([2])])
  })

  test('takes no more together than 16 KiB, or 64 chunks', () => {
    const { stream, give } = streamByHand()
    for (let n = 0; n < 3; n += 1) give(new Uint8Array(10 * 1024))
    for (let n = 0; n < 70; n += 1) give('x')
    const source = new StreamSource(stream)
    expect(source.take()).toHaveLength(2)
    expect(source.take()).toHaveLength(64)
    expect(source.take()).toHaveLength(7)
  })

  test('hands on what is no chunk: its watcher says whose fault that is', () => {
    const { promise: never } = Promise.withResolvers<void>()
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(undefined)
        controller.enqueue(null)
      },
      pull: () => never,
    })
    expect(new StreamSource(stream).take() as readonly unknown[]).toEqual([undefined, null])
  })

  test('ends the stream with a reason, and then tells its end', async () => {
    const { stream, cancelled } = streamByHand()
    const source = new StreamSource(stream)
    source.take()
    const ended = more(source)
    source.cancel('enough')
    source.cancel()
    await ended
    expect(cancelled).toEqual(['enough'])
    expect(source.end).toEqual({ isBroken: false })
  })

  test('refuses a stream that has another reader', () => {
    const { stream } = streamByHand()
    stream.getReader()
    expect(() => new StreamSource(stream)).toThrow()
  })
})
