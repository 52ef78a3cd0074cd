import { describe, expect, test } from 'bun:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { silentMs, wholeOf } from '../../../../src/answers/body-note.ts'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { HeldAnswer, readBeginning } from '../../../../src/routing/attempts/held-answer.ts'
import { streamByHand } from '../../../helpers/stream-by-hand.ts'
import { type FakeClock, fakeClock } from '../targets/router-parts.ts'

/** An answer whose chunks the test gives, one by one. */
function answerByHand(headers: Record<string, string> = {}) {
  const { stream, ...byHand } = streamByHand()
  return { answer: new Response(stream, { headers }), ...byHand }
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()

describe('an answer that is held', () => {
  test('is released with the bytes that were read and those that come later, in order and unchanged', async () => {
    const { answer, give, end } = answerByHand({ 'x-kept': '1' })
    const held = new HeldAnswer(answer)
    give('one ')
    give('two ')
    expect([text(await held.next()), text(await held.next()), held.bytes]).toEqual(['one ', 'two ', 8])
    const released = held.release()
    give('three')
    end()
    expect([await released.text(), released.headers.get('x-kept')]).toEqual(['one two three', '1'])
  })

  test('loses nothing of a chunk that was asked for when it was released', async () => {
    const { answer, give, end } = answerByHand()
    const held = new HeldAnswer(answer)
    void held.next()
    const released = held.release()
    give('the first')
    end()
    expect(await released.text()).toBe('the first')
  })

  test('is noted as whole only where all of it has come, and is asked to be', async () => {
    const whole = new HeldAnswer(new Response('all of it'))
    while ((await whole.next()) !== undefined);
    const released = whole.release(true)
    expect([text(wholeOf(released)), released.headers.get('content-length')]).toEqual(['all of it', '9'])
    const part = new HeldAnswer(new Response('all of it'))
    await part.next()
    expect(wholeOf(part.release(true))).toBeUndefined()
    const stream = new HeldAnswer(new Response('all of it'))
    while ((await stream.next()) !== undefined);
    const passed = stream.release()
    expect([wholeOf(passed), await passed.text()]).toEqual([undefined, 'all of it'])
  })

  test('counts the time for which it has been silent from its last byte on', async () => {
    const held = new HeldAnswer(new Response('x'))
    await held.next()
    const before = performance.now()
    while (performance.now() - before < 5);
    expect(silentMs(held.release())).toBeGreaterThanOrEqual(5)
  })

  test('ends its call where nobody wants it, and where the one who got it leaves', async () => {
    const unwanted = answerByHand()
    new HeldAnswer(unwanted.answer).discard()
    expect(unwanted.cancelled).toEqual([undefined])
    const left = answerByHand()
    const released = new HeldAnswer(left.answer).release()
    await released.body?.cancel('gone')
    expect(left.cancelled).toEqual(['gone'])
  })

  test('breaks for whoever got it as it broke', async () => {
    const { answer, give, breakOff } = answerByHand()
    const held = new HeldAnswer(answer)
    give('part')
    await held.next()
    const released = held.release()
    breakOff(new Error('reset'))
    expect(released.text()).rejects.toThrow('reset')
  })

  test('without a body is over at once', async () => {
    const held = new HeldAnswer(new Response(null))
    expect([await held.next(), held.isReadable]).toEqual([undefined, true])
  })

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('in %s is read decoded, and goes on encoded', async (coding, encode) => {
    const encoded = new Uint8Array(encode('{"error":"x"}'))
    const held = new HeldAnswer(new Response(encoded, { headers: { 'content-encoding': coding } }))
    let read = ''
    for (let bytes = await held.next(); bytes !== undefined; bytes = await held.next()) read += text(bytes)
    expect([read, held.isReadable]).toEqual(['{"error":"x"}', true])
    expect(await new Response(held.release().body).bytes()).toEqual(encoded)
  })

  test('that nobody can decode is not read, and goes on as it came', async () => {
    const plain = { 'content-encoding': 'gzip' }
    const wrong = new HeldAnswer(new Response('no gzip at all', { headers: plain }))
    expect([await wrong.next(), wrong.isReadable]).toEqual([undefined, false])
    expect(await new Response(wrong.release().body).text()).toBe('no gzip at all')
    for (const coding of ['compress', 'gzip, gzip']) {
      const unknown = new HeldAnswer(new Response('as it is', { headers: { 'content-encoding': coding } }))
      expect([await unknown.next(), unknown.isReadable, unknown.bytes]).toEqual([undefined, false, 0])
      expect(await new Response(unknown.release().body).text()).toBe('as it is')
    }
  })
})

describe('reading a beginning', () => {
  const LIMITS = { sinceFirstByteMs: 0, totalMs: 0, idleMs: 0 }

  function reading(
    clock: FakeClock,
    limits: Partial<typeof LIMITS>,
    told: (text: string) => unknown = () => undefined,
  ) {
    const source = answerByHand()
    const abort = new AbortController()
    const held = new HeldAnswer(source.answer)
    const add = (bytes: Uint8Array) => told(text(bytes) ?? '') as string | undefined
    const result = readBeginning(held, add, { ...LIMITS, ...limits, abort }, clock.deadlines)
    return { ...source, held, abort, result }
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  test('is over when it can be told what it is, and no clock runs on', async () => {
    const clock = fakeClock()
    const limits = { sinceFirstByteMs: 1, totalMs: 1, idleMs: 1 }
    const { give, result } = reading(clock, limits, (piece) => (piece === 'b' ? 'told' : undefined))
    give('a')
    give('b')
    expect(await result).toEqual({ told: 'told' })
    expect(clock.running()).toBe(0)
  })

  test('is over when all has come', async () => {
    const { give, end, result } = reading(fakeClock(), {})
    give('a')
    end()
    expect(await result).toBe('end')
  })

  test('is late when its whole time is up, whatever has come, and what was asked for is not lost', async () => {
    const clock = fakeClock()
    const { give, end, held, result } = reading(clock, { totalMs: 100 })
    await settle()
    clock.advance(100)
    expect([await result, clock.running()]).toEqual(['late', 0])
    give('later')
    end()
    expect(await held.release().text()).toBe('later')
  })

  test('fails with the source where it breaks off', async () => {
    const { breakOff, result } = reading(fakeClock(), {})
    breakOff(new Error('reset'))
    expect(result).rejects.toThrow('reset')
  })

  test('ends the call where the upstream is silent before its first byte, and only stops where it is behind one', async () => {
    const clock = fakeClock()
    const silent = reading(clock, { idleMs: 50, totalMs: 500 })
    await settle()
    clock.advance(50)
    expect(silent.abort.signal.reason).toBeInstanceOf(ApiError)
    expect((silent.abort.signal.reason as ApiError).kind).toBe('upstream_timeout')
    const paused = reading(clock, { idleMs: 50, totalMs: 500 })
    paused.give('a')
    await settle()
    clock.advance(50)
    expect([await paused.result, paused.abort.signal.aborted]).toEqual(['late', false])
  })

  test('looks through megabytes in pieces', async () => {
    const sizes: number[] = []
    const { give, end, result } = reading(fakeClock(), {}, (piece) => void sizes.push(piece.length))
    give(Buffer.alloc(200_000, 'x'))
    end()
    expect(await result).toBe('end')
    expect(sizes).toEqual([65_536, 65_536, 65_536, 3_392])
  })
})
