import { describe, expect, test } from 'bun:test'
import type { Cassette, NamedCassette } from '../../../src/cassettes/cassette.ts'
import { createCassettePlayer, type PlayerOptions } from '../../../src/cassettes/player.ts'
import { readIgnored } from '../../../src/cassettes/request-key.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { collectStream } from '../answers/collect-stream.ts'
import { asked, cassetteOf, sha256, utf8 } from './memory-recorder.ts'

const never = new AbortController().signal

function player(cassettes: readonly NamedCassette[], options: Partial<PlayerOptions> = {}) {
  const slept: number[] = []
  const made = createCassettePlayer(cassettes, {
    pace: 'instant',
    ignored: readIgnored(),
    isClosed: true,
    sleep: async (ms, signal) => {
      signal.throwIfAborted()
      slept.push(ms)
    },
    // Time goes on by sleeping only.
    now: () => slept.reduce((sum, ms) => sum + ms, 0),
    sha256,
    secrets: () => [],
    ...options,
  })
  return { ...made, slept }
}

const STREAM: Cassette['response'] = {
  status: 200,
  after_ms: 50,
  headers: { 'content-type': 'text/event-stream' },
  events: [
    { at_ms: 0, text: 'data: a\n\n' },
    { at_ms: 40, text: 'data: ' },
    { at_ms: 30, base64: btoa('b\n\n') },
    { at_ms: 45, text: 'data: [DONE]\n\n' },
  ],
}

describe('a request is answered', () => {
  test('with the status, headers and body of its cassette', async () => {
    const headers = { 'content-type': 'application/json', 'x-request-id': 'req_1' }
    const recorded = { status: 429, headers, body: { json: { error: { code: 'x' } }, indent: 2, newline: true } }
    const response = await player([cassetteOf('1', { n: 1 }, recorded)]).find(asked({ n: 1 }), never)
    expect(response?.status).toBe(429)
    expect(Object.fromEntries(response?.headers ?? [])).toEqual({ ...headers, 'content-length': '37' })
    expect(await response?.text()).toBe('{\n  "error": {\n    "code": "x"\n  }\n}\n')
  })

  test.each([
    ['a text', { text: 'héllo' }, utf8('héllo')],
    ['bytes', { base64: '/wA=' }, new Uint8Array([255, 0])],
    ['null', { json: null }, utf8('null')],
  ] as const)('with %s', async (_what, body, bytes) => {
    const response = await player([cassetteOf('1', {}, { status: 200, body })]).find(asked({}), never)
    expect(await response?.bytes()).toEqual(bytes)
    expect(response?.headers.get('content-length')).toBe(String(bytes.byteLength))
  })

  test('without a body where it had none', async () => {
    const empty = await player([cassetteOf('1', {}, { status: 200 })]).find(asked({}), never)
    expect([await empty?.text(), empty?.headers.get('content-length')]).toEqual(['', '0'])
    const none = await player([cassetteOf('1', {}, { status: 204, body: { text: 'x' } })]).find(asked({}), never)
    expect([none?.status, none?.body]).toEqual([204, null])
  })

  test('with the very chunks of a stream, at once', async () => {
    const { find: answer, slept } = player([cassetteOf('1', {}, STREAM)])
    const response = await answer(asked({}), never)
    if (!response?.body) throw new Error('no body')
    const { chunks } = await collectStream(response.body)
    const texts = chunks.map((chunk) => new TextDecoder().decode(chunk))
    expect(texts).toEqual(['data: a\n\n', 'data: ', 'b\n\n', 'data: [DONE]\n\n'])
    expect([slept, response.headers.has('content-length')]).toEqual([[], false])
  })

  test('at its original pace, where that is asked for', async () => {
    const { find: answer, slept } = player([cassetteOf('1', {}, STREAM)], { pace: 'original' })
    const response = await answer(asked({}), never)
    expect(slept).toEqual([50])
    expect(await response?.text()).toBe('data: a\n\ndata: b\n\ndata: [DONE]\n\n')
    expect(slept).toEqual([50, 40, 5])
    const { find: atOnce, slept: notAtAll } = player([cassetteOf('1', {}, { status: 200 })], { pace: 'original' })
    await atOnce(asked({}), never)
    expect(notAtAll).toEqual([])
  })

  test('until the client leaves: before the head, or in the middle', async () => {
    const { find: answer } = player([cassetteOf('1', {}, STREAM)], { pace: 'original' })
    const reason = new ApiError('client_closed')
    expect(await answer(asked({}), AbortSignal.abort(reason)).catch((thrown: unknown) => thrown)).toBe(reason)
    let wakeUp = (): void => undefined
    const waiting = player([cassetteOf('1', {}, { ...STREAM, after_ms: 0 })], {
      pace: 'original',
      sleep: (_ms, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          wakeUp()
        }),
    })
    const response = await waiting.find(asked({}), never)
    const reader = response?.body?.getReader()
    await reader?.read()
    const isAsleep = new Promise<void>((resolve) => {
      wakeUp = resolve
    })
    const next = reader?.read()
    await isAsleep
    await reader?.cancel()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test('also where its keys are others than those that were recorded', async () => {
    const recorded = cassetteOf('1', { say: '********' })
    const headers = new Headers({ authorization: 'Bearer key-of-somebody' })
    const { find: answer } = player([recorded], { secrets: () => ['the-key-of-the-server'] })
    for (const say of ['key-of-somebody', 'the-key-of-the-server']) {
      expect((await answer(asked({ say }, { headers }), never))?.status).toBe(200)
    }
  })

  test('also by a cassette that was added later', async () => {
    const { find: answer, add, count } = player([], { isClosed: false })
    expect(await answer(asked({ n: 1 }), never)).toBeUndefined()
    add(cassetteOf('1', { n: 1 }))
    expect(await (await answer(asked({ n: 1 }), never))?.text()).toBe('1')
    expect(count()).toBe(1)
  })
})

describe('a request without a cassette', () => {
  test('is a 404 that tells the nearest, and no secret', async () => {
    const { find: answer } = player([cassetteOf('1.json', { say: 'a' })])
    const headers = new Headers({ authorization: 'Bearer key-of-somebody' })
    const thrown = await answer(asked({ say: 'key-of-somebody' }, { headers }), never).catch((cause: unknown) => cause)
    if (!(thrown instanceof ApiError)) throw new Error('no ApiError')
    expect([thrown.entry.status, thrown.body.error.code, thrown.entry.fault]).toEqual([404, 'no_cassette', 'caller'])
    expect(thrown.message).toEndWith('1.json: say: "a" was recorded, "********" came.')
  })

  test('goes on to the upstream where that is wanted', async () => {
    expect(await player([cassetteOf('1', { n: 1 })], { isClosed: false }).find(asked({ n: 2 }), never)).toBeUndefined()
  })
})
