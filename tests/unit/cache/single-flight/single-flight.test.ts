import { describe, expect, test } from 'bun:test'
import type { CallResult } from '../../../../src/cache/single-flight/call-result.ts'
import type { ShareOptions } from '../../../../src/cache/single-flight/coalesced-call.ts'
import { createSingleFlight, type SingleFlight } from '../../../../src/cache/single-flight/single-flight.ts'
import type { TimedChunk } from '../../../../src/timing/paced-stream.ts'
import { collectStream, streamOf } from '../../answers/collect-stream.ts'
import { bytesOf, textOf } from '../../formats/json/json-texts.ts'
import { handFed, settled } from '../hand-fed-body.ts'

const DEPS = { now: () => 0, keptBytesMax: 1_000_000 }
const NEVER = new AbortController().signal
const STAYS: ShareOptions = { signal: NEVER, runsOn: false }

type Start = (abort: AbortController) => Promise<CallResult>

const answerOf = (body: ReadableStream<Uint8Array> | null, headers: Record<string, string> = {}): CallResult => ({
  answer: new Response(body, { status: 200, statusText: 'Fine', headers }),
  deployment: undefined,
  shouldRetry: false,
})

/** A start that is let go by hand. */
function handStarted() {
  const { promise, resolve, reject } = Promise.withResolvers<CallResult>()
  const signals: AbortSignal[] = []
  const start: Start = ({ signal }) => {
    signals.push(signal)
    return promise
  }
  return { start, resolve, reject, calls: () => signals.length, signal: () => signals[0] }
}

async function textFrom({ answer }: CallResult): Promise<string> {
  return answer.body === null ? '<none>' : (await collectStream(answer.body)).text
}

const never: Start = () => Promise.reject(new Error('must not be called'))

describe('identical requests under way', () => {
  test('share one call: 100 of them get 100 equal streams, each with headers of its own', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const started = handStarted()
    const first = calls.join('key', started.start, STAYS)
    const others = Array.from({ length: 99 }, () => calls.join('key', never, STAYS))
    expect([first, ...others].map(({ role }) => role)).toEqual(['leader', ...Array(99).fill('follower')])
    const chunks = ['data: 1\n\n', 'data: 2\n\n', 'data: [DONE]\n\n']
    started.resolve(answerOf(streamOf(chunks), { 'content-type': 'text/event-stream' }))
    const sources = await Promise.all([first, ...others].map(({ answer }) => answer))
    for (const { answer, shouldRetry } of sources) {
      expect(answer.status).toBe(200)
      expect(answer.statusText).toBe('Fine')
      expect(answer.headers.get('content-type')).toBe('text/event-stream')
      expect(shouldRetry).toBe(false)
      answer.headers.set('content-type', 'mine')
    }
    const texts = await Promise.all(sources.map(textFrom))
    expect(new Set(texts)).toEqual(new Set([chunks.join('')]))
    expect(started.calls()).toBe(1)
    expect(calls.size).toBe(0)
  })

  test('whose call gives itself up as its head comes are told how it ended, and none waits for ever', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const fed = handFed()
    const start: Start = async (abort) => {
      abort.abort(new Error('took too long'))
      return answerOf(fed.body)
    }
    const joined = [calls.join('key', start, STAYS), calls.join('key', never, STAYS)]
    const bodies = (await Promise.all(joined.map(({ answer }) => answer))).map(({ answer }) => answer.body)
    fed.fail(new Error('took too long'))
    const ends = await Promise.all(bodies.map((body) => collectStream(body ?? streamOf([]))))
    expect(ends.map(({ isBroken }) => isBroken)).toEqual([true, true])
    await settled()
    expect(calls.size).toBe(0)
  })

  test('with other keys don’t know each other', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const one = calls.join('one', async () => answerOf(streamOf(['1'])), STAYS)
    const other = calls.join('other', async () => answerOf(streamOf(['2'])), STAYS)
    expect(other.role).toBe('leader')
    expect([await textFrom(await one.answer), await textFrom(await other.answer)]).toEqual(['1', '2'])
  })

  test('may join when the answer has begun, and get the whole', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const source = handFed()
    const first = await calls.join('key', async () => answerOf(source.body), STAYS).answer
    const reader = first.answer.body?.getReader()
    const next = reader?.read()
    source.give(bytesOf('a'))
    await next
    const second = calls.join('key', never, STAYS)
    expect(second.role).toBe('follower')
    const text = textFrom(await second.answer)
    await settled()
    source.give(bytesOf('b'))
    await settled()
    source.end()
    expect(await text).toBe('ab')
    expect(calls.size).toBe(0)
    expect(calls.join('key', async () => answerOf(null), STAYS).role).toBe('leader')
  })

  test('get an answer without a body each, too', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const told: (readonly TimedChunk[])[] = []
    const onComplete = (_answer: Response, chunks: readonly TimedChunk[]): void => void told.push(chunks)
    const first = calls.join('key', async () => answerOf(null), { ...STAYS, onComplete })
    const second = calls.join('key', never, STAYS)
    expect([await textFrom(await first.answer), await textFrom(await second.answer)]).toEqual(['<none>', '<none>'])
    expect(told).toEqual([[]])
    await settled()
    expect(calls.size).toBe(0)
  })

  test('begin anew when the body is more than can be kept', async () => {
    const calls: SingleFlight = createSingleFlight({ ...DEPS, keptBytesMax: 10 })
    const source = handFed()
    const first = await calls.join('key', async () => answerOf(source.body), STAYS).answer
    const next = first.answer.body?.getReader().read()
    await settled()
    source.give(new Uint8Array(100))
    await next
    const second = calls.join('key', async () => answerOf(streamOf(['new'])), STAYS)
    expect(second.role).toBe('leader')
    expect(await textFrom(await second.answer)).toBe('new')
    expect(calls.size).toBe(0)
  })
})

describe('a call that fails', () => {
  test.each<[string, (cause: Error) => Start]>([
    ['later', (cause) => async () => Promise.reject(cause)],
    [
      'at once',
      (cause) => () => {
        throw cause
      },
    ],
  ])('%s fails for all who wait, with one error, and is forgotten', async (_when, startWith) => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const cause = new Error('upstream is down')
    const joined = [calls.join('key', startWith(cause), STAYS), calls.join('key', never, STAYS)]
    const seen = await Promise.all(joined.map(({ answer }) => answer.catch((thrown: unknown) => thrown)))
    expect(seen).toEqual([cause, cause])
    expect(calls.size).toBe(0)
  })

  test('in the midst of the body breaks all off, is told, and is forgotten', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const cause = new Error('reset')
    const told: unknown[] = []
    const options = {
      ...STAYS,
      onEnd: (end: string, seen: unknown): void => void told.push(end, seen),
      onOver: (): void => void told.push('over'),
    }
    const first = calls.join('key', async () => answerOf(streamOf(['a'], cause)), options)
    const second = calls.join('key', never, STAYS)
    const bodies = await Promise.all([first, second].map(async ({ answer }) => (await answer).answer.body))
    for (const body of bodies) {
      expect(await collectStream(body ?? streamOf([]))).toMatchObject({ text: 'a', isBroken: true })
    }
    expect(told).toEqual(['over', 'broken', cause])
    expect(calls.size).toBe(0)
  })

  test('with a body that somebody else reads is a failure like others', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const body = streamOf(['a'])
    const source = answerOf(body)
    source.answer.body?.getReader()
    const seen = await calls.join('key', async () => source, STAYS).answer.catch((thrown: unknown) => thrown)
    expect(seen).toBeInstanceOf(TypeError)
    expect(calls.size).toBe(0)
  })
})

describe('a client that leaves', () => {
  test('before the answer ends the call only when nobody else waits', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const started = handStarted()
    const [leader, follower] = [new AbortController(), new AbortController()]
    const first = calls.join('key', started.start, { ...STAYS, signal: leader.signal })
    const second = calls.join('key', never, { ...STAYS, signal: follower.signal })
    leader.abort('leader gone')
    expect(await first.answer.catch((thrown: unknown) => thrown)).toBe('leader gone')
    expect(started.signal()?.aborted).toBe(false)
    expect(calls.join('key', never, STAYS).role).toBe('follower')
    follower.abort('follower gone')
    expect(await second.answer.catch((thrown: unknown) => thrown)).toBe('follower gone')
    expect(started.signal()?.aborted).toBe(false)
  })

  test('as the last one before the answer aborts the call, and what still comes of it is thrown away', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const started = handStarted()
    const client = new AbortController()
    const over: string[] = []
    const options = { ...STAYS, signal: client.signal, onOver: (): void => void over.push('over') }
    const { answer } = calls.join('key', started.start, options)
    client.abort('gone')
    expect(await answer.catch((thrown: unknown) => thrown)).toBe('gone')
    expect(started.signal()?.reason).toBe('gone')
    expect(calls.size).toBe(0)
    expect(over).toEqual(['over'])
    const source = handFed()
    started.resolve(answerOf(source.body))
    await settled()
    expect(source.cancelled()).toEqual({ reason: 'gone' })
    expect(over).toEqual(['over'])
  })

  test('and whose call then comes without a body, or fails, harms nobody', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    for (const end of ['resolve', 'reject'] as const) {
      const started = handStarted()
      const client = new AbortController()
      const { answer } = calls.join('key', started.start, { ...STAYS, signal: client.signal })
      client.abort('gone')
      await answer.catch(() => undefined)
      if (end === 'resolve') started.resolve(answerOf(null))
      else started.reject(new Error('aborted'))
      await settled()
      expect(calls.size).toBe(0)
    }
  })

  test('and whose call fails later takes no newer flight of the key along', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const [old, young] = [handStarted(), handStarted()]
    const client = new AbortController()
    const { answer } = calls.join('key', old.start, { ...STAYS, signal: client.signal })
    client.abort('gone')
    await answer.catch(() => undefined)
    expect(calls.join('key', young.start, STAYS).role).toBe('leader')
    old.reject(new Error('aborted'))
    await settled()
    expect(calls.join('key', never, STAYS).role).toBe('follower')
  })

  test('before it has joined starts nothing', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const { answer } = calls.join('key', never, { ...STAYS, signal: AbortSignal.abort('gone') })
    expect(await answer.catch((thrown: unknown) => thrown)).toBe('gone')
    expect(calls.size).toBe(0)
  })

  test('is no longer listened to once its answer is over', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const client = new AbortController()
    let listeners = 0
    const { signal } = client
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      listeners += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      listeners -= 1
      remove(...args)
    }
    const { answer } = calls.join('key', async () => answerOf(streamOf(['a'])), { ...STAYS, signal })
    expect(await textFrom(await answer)).toBe('a')
    expect(listeners).toBe(0)
  })

  test('with `runsOn` ends nothing: the answer is read to its end and told', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const started = handStarted()
    const client = new AbortController()
    const told: string[] = []
    const onComplete = (_answer: Response, chunks: readonly TimedChunk[]): void =>
      void told.push(chunks.map(({ bytes }) => textOf(bytes)).join(''))
    const { answer } = calls.join('key', started.start, { signal: client.signal, runsOn: true, onComplete })
    client.abort('gone')
    await answer.catch(() => undefined)
    expect(started.signal()?.aborted).toBe(false)
    const source = handFed()
    started.resolve(answerOf(source.body))
    await settled()
    source.give(bytesOf('a'))
    await settled()
    const retry = calls.join('key', never, STAYS)
    expect(retry.role).toBe('follower')
    const text = textFrom(await retry.answer)
    source.give(bytesOf('b'))
    await settled()
    source.end()
    expect(await text).toBe('ab')
    expect(told).toEqual(['ab'])
  })

  const CHUNKS = ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n', 'data: [DONE]\n\n']
  test.each(Array.from({ length: CHUNKS.length + 2 }, (_, index) => index))(
    'as the leader, with %d chunks read, leaves 99 followers with the whole',
    async (count) => {
      const calls: SingleFlight = createSingleFlight(DEPS)
      const client = new AbortController()
      const leader = calls.join('key', async () => answerOf(streamOf(CHUNKS)), { ...STAYS, signal: client.signal })
      const followers = Array.from({ length: 99 }, () => calls.join('key', never, STAYS))
      const reader = (await leader.answer).answer.body?.getReader()
      for (let read = 0; read < count; read += 1) await reader?.read()
      client.abort('gone')
      const texts = await Promise.all(followers.map(async ({ answer }) => textFrom(await answer)))
      expect(texts).toEqual(Array(99).fill(CHUNKS.join('')))
    },
  )
})

describe('a whole answer', () => {
  test('is told to the leader’s owner with its head, once, and can be joined until it has been kept', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const { promise, resolve } = Promise.withResolvers<void>()
    const told: [Response, readonly TimedChunk[]][] = []
    const onComplete = (answer: Response, chunks: readonly TimedChunk[]): Promise<void> => {
      told.push([answer, chunks])
      return promise
    }
    const headers = { 'content-type': 'text/plain' }
    const first = calls.join('key', async () => answerOf(streamOf(['a', 'b']), headers), { ...STAYS, onComplete })
    expect(await textFrom(await first.answer)).toBe('ab')
    expect(told).toHaveLength(1)
    expect(told[0]?.[0].headers.get('content-type')).toBe('text/plain')
    const late = calls.join('key', never, STAYS)
    expect(late.role).toBe('follower')
    expect(await textFrom(await late.answer)).toBe('ab')
    expect(told).toHaveLength(1)
    resolve()
    await settled()
    expect(calls.size).toBe(0)
  })

  test('that could not be kept is still the readers’, and the flight is forgotten', async () => {
    const calls: SingleFlight = createSingleFlight(DEPS)
    const onComplete = (): void => {
      throw new Error('disk full')
    }
    const { answer } = calls.join('key', async () => answerOf(streamOf(['a'])), { ...STAYS, onComplete })
    expect(await textFrom(await answer)).toBe('a')
    await settled()
    expect(calls.size).toBe(0)
  })

  test.each([true, false])(
    'can be joined behind its end only if it is a good one, which is waited for (%s)',
    async (isGood) => {
      const calls: SingleFlight = createSingleFlight(DEPS)
      const verdict = Promise.withResolvers<boolean>()
      const kept = Promise.withResolvers<void>()
      const told: boolean[] = []
      const { answer } = calls.join('key', async () => answerOf(streamOf(['a'])), {
        ...STAYS,
        isGood: () => verdict.promise,
        onComplete(_answer, _chunks, isGoodOne) {
          told.push(isGoodOne)
          return kept.promise
        },
      })
      expect(calls.judged('key')).toBeUndefined()
      expect(await textFrom(await answer)).toBe('a')
      const judged = calls.judged('key')
      expect(judged).toBeInstanceOf(Promise)
      verdict.resolve(isGood)
      await judged
      expect([calls.judged('key'), calls.has('key'), told]).toEqual([undefined, isGood, [isGood]])
      kept.resolve()
      await calls.idle()
    },
  )
})
