import { describe, expect, test } from 'bun:test'
import { holdEnd, passThrough } from '../../../src/answers/pass-through.ts'
import { Tap, type TapWatch } from '../../../src/answers/tap.ts'
import { answerEndOf } from '../../../src/exchange/answer-end.ts'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import type { Deadlines } from '../../../src/timing/deadlines.ts'
import { streamByHand } from '../../helpers/stream-by-hand.ts'
import { collectStream, streamOf } from './collect-stream.ts'

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()

/** A tap that keeps what it was told. */
function watched(watch: Partial<TapWatch> = {}) {
  const ends: { outcome: Outcome; bytes: number }[] = []
  const chunks: string[] = []
  const tap = new Tap({
    onEnd: (outcome, bytes) => void ends.push({ outcome, bytes }),
    onChunk: (chunk) => void chunks.push(text(chunk)),
    ...watch,
  })
  return { tap, ends, chunks }
}

describe('a body that is read within the program', () => {
  test('breaks with what its reader wants to know of the failure', async () => {
    const { tap } = watched()
    const cause = new Error('reset')
    const body = passThrough(streamOf(['abc'], cause), tap, { breakWith: (seen) => ({ seen }) })
    const reader = body.getReader()
    await reader.read()
    expect(await reader.read().catch((reason: unknown) => reason)).toEqual({ seen: cause })
  })

  test('has failed where its reader leaves for a reason that says so, and was only left for any other', async () => {
    for (const [reason, kind] of [
      ['bad', 'failed'],
      ['enough', 'cancelled'],
    ] as const) {
      const { tap, ends } = watched()
      const { stream: source, cancelled } = streamByHand()
      const body = passThrough(source, tap, { isFailure: (one) => one === 'bad' })
      await body.cancel(reason)
      expect(ends.map(({ outcome }) => outcome.kind)).toEqual([kind])
      expect(cancelled).toEqual([reason])
    }
  })
})

describe('a chunk of megabytes', () => {
  const LARGE = Buffer.alloc(300_000, 'x')

  test('goes on in pieces, and all of it', async () => {
    const { tap, ends, chunks } = watched()
    const { chunks: received } = await collectStream(passThrough(streamOf([new Uint8Array(LARGE), 'end']), tap))
    expect(received.map(({ byteLength }) => byteLength)).toEqual([131_072, 131_072, 37_856, 3])
    expect(Buffer.concat(received).equals(Buffer.concat([LARGE, Buffer.from('end')]))).toBe(true)
    expect(chunks.map(({ length }) => length)).toEqual([131_072, 131_072, 37_856, 3])
    expect(ends).toMatchObject([{ outcome: { kind: 'complete' }, bytes: 300_003 }])
  })

  test('counts in full where its reader leaves in the midst of it: it was sent', async () => {
    const { tap, ends } = watched()
    const reader = passThrough(streamOf([new Uint8Array(LARGE), 'never']), tap).getReader()
    await reader.read()
    await reader.cancel('left')
    expect(ends).toMatchObject([{ outcome: { kind: 'cancelled' }, bytes: 300_000 }])
  })
})

describe('a reader that leaves behind the last event', () => {
  const LAST = 'data: [DONE]\n\n'

  /** A stream of a chat completion, with a clock for its rest that the test runs out. */
  function leaving() {
    const clocks: { readonly expire: () => void; isCleared: boolean }[] = []
    const deadlines: Deadlines = {
      start(_ms, onExpire) {
        const clock = { expire: onExpire, isCleared: false }
        clocks.push(clock)
        const clear = (): void => {
          clock.isCleared = true
        }
        return { touch() {}, suspend() {}, clear }
      },
    }
    const answer = new Response(null, { headers: { 'content-type': 'text/event-stream' } })
    const asked = { request: new Request('http://x', { method: 'POST' }), requestTarget: '/v1/chat/completions' }
    const { tap, ends } = watched({ end: answerEndOf(asked, answer, { isUpstreams: true, deadlines }) })
    const hand = streamByHand()
    return { ...hand, ends, clocks, reader: passThrough(hand.stream, tap).getReader() }
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  test('has had all of it: the rest is read, so that the upstream’s connection can be kept', async () => {
    const { reader, give, end, ends, cancelled, clocks } = leaving()
    give(LAST)
    await reader.read()
    await reader.cancel()
    give(': behind it\n\n')
    end()
    await settle()
    expect(ends.map(({ outcome }) => outcome.kind)).toEqual(['complete'])
    expect([cancelled, clocks.map(({ isCleared }) => isCleared)]).toEqual([[], [true]])
  })

  test('waits for the rest no longer than a moment', async () => {
    const { reader, give, ends, cancelled, clocks } = leaving()
    give(LAST)
    await reader.read()
    await reader.cancel()
    clocks[0]?.expire()
    await settle()
    expect([ends.map(({ outcome }) => outcome.kind), cancelled]).toMatchObject([
      ['complete'],
      [{ kind: 'client_closed' }],
    ])
  })

  test('before it has left: the upstream is told at once', async () => {
    const { reader, give, ends, cancelled, clocks } = leaving()
    give('data: {"choices":[]}\n\n')
    await reader.read()
    await reader.cancel()
    expect([ends.map(({ outcome }) => outcome.kind), cancelled, clocks]).toEqual([['cancelled'], [undefined], []])
  })

  test('for a reason of its own has left, wherever it was', async () => {
    const { reader, give, ends, cancelled } = leaving()
    give(LAST)
    await reader.read()
    await reader.cancel('a reason')
    expect([ends.map(({ outcome }) => outcome.kind), cancelled]).toEqual([['complete'], ['a reason']])
  })
})

describe('an end that waits for something', () => {
  test('comes behind it, and everything else as it comes', async () => {
    const gate = Promise.withResolvers<void>()
    const reader = holdEnd(streamOf(['a', 'b']), () => gate.promise).getReader()
    expect([text((await reader.read()).value), text((await reader.read()).value)]).toEqual(['a', 'b'])
    let isOver = false
    const end = reader.read().then(({ done }) => {
      isOver = done
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isOver).toBe(false)
    gate.resolve()
    await end
    expect(isOver).toBe(true)
  })

  test('never comes where the source fails, or where what it waits for does', async () => {
    const fine = () => Promise.resolve()
    expect((await collectStream(holdEnd(streamOf(['a'], new Error('reset')), fine))).isBroken).toBe(true)
    expect((await collectStream(holdEnd(streamOf(['a']), () => Promise.reject(new Error('no'))))).isBroken).toBe(true)
  })

  test('is not waited for by a reader that leaves', async () => {
    const { stream: source, cancelled } = streamByHand()
    let isAsked = false
    const held = holdEnd(source, async () => {
      isAsked = true
    })
    await held.cancel('left')
    expect([cancelled, isAsked]).toEqual([['left'], false])
  })
})
