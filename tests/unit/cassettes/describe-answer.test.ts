import { describe, expect, test } from 'bun:test'
import { BODY_BYTES_MAX } from '../../../src/cassettes/cassette.ts'
import { describeAnswer, hasSecretInPieces } from '../../../src/cassettes/describe-answer.ts'
import { playAnswer } from '../../../src/cassettes/player.ts'
import { createScrub } from '../../../src/cassettes/scrub.ts'
import { utf8 } from './memory-recorder.ts'

const SECRET = 'the-key-of-the-server'
const JSON_TYPE = { 'content-type': 'application/json' }
const SSE = { 'content-type': 'text/event-stream; charset=utf-8' }

async function described(chunks: readonly (string | Uint8Array)[], headers: Record<string, string>) {
  const heard = chunks.map((chunk, index) => ({
    bytes: typeof chunk === 'string' ? utf8(chunk) : chunk,
    atMs: index * 10 + 0.4,
  }))
  const answer = { status: 200, headers: new Headers(headers), afterMs: 12.3, chunks: heard }
  return describeAnswer(answer, createScrub([SECRET]))
}

async function kept(chunks: readonly (string | Uint8Array)[], headers: Record<string, string>) {
  const response = await described(chunks, headers)
  if (typeof response === 'string') throw new Error(response)
  return response
}

describe('an answer is kept', () => {
  test.each([
    ['{"a":1.0,"b":[9007199254740993]}', {}],
    ['{"a":1}\n', { newline: true }],
    ['{\n  "a": [\n    1,\n    {}\n  ]\n}\n', { indent: 2, newline: true }],
    ['[\n    1\n]', { indent: 4 }],
    ['null', {}],
  ])('as JSON, with the layout that gives its very bytes again: %j', async (text, layout) => {
    const response = await kept([text], JSON_TYPE)
    const { json, ...rest } = response.body ?? {}
    expect(rest).toEqual(layout)
    expect(json).toBeDefined()
    expect(await playAnswer(response, undefined).text()).toBe(text)
  })

  test.each(['{"a": 1}', '{"a":"\\u0041"}', '{\n\t"a": 1\n}', '{"a":1,"a":2}', 'hello', '{"a":1}\n\n', ' {"a":1}'])(
    'as text, where JSON would give other bytes: %j',
    async (text) => {
      const response = await kept([text], JSON_TYPE)
      expect(response.body).toEqual({ text })
      expect(await playAnswer(response, undefined).text()).toBe(text)
    },
  )

  test('as base64 where it is no text, and without a body where it has none', async () => {
    expect((await kept([new Uint8Array([0, 255])], {})).body).toEqual({ base64: 'AP8=' })
    expect(await kept([], {})).toEqual({ status: 200, after_ms: 12, headers: {} })
  })

  test('as the very chunks of a stream with their times, base64 where a letter is cut', async () => {
    const letter = utf8('é')
    const response = await kept(['data: a\n\n', letter.subarray(0, 1), letter.subarray(1), ': b\n\n'], SSE)
    expect(response.events).toEqual([
      { at_ms: 0, text: 'data: a\n\n' },
      { at_ms: 10, base64: 'ww==' },
      { at_ms: 20, base64: 'qQ==' },
      { at_ms: 30, text: ': b\n\n' },
    ])
    expect((await kept([], SSE)).events).toEqual([])
  })

  test('with headers of a list, and none that has a secret', async () => {
    const headers = {
      ...JSON_TYPE,
      'x-request-id': 'req_1',
      'x-ratelimit-remaining-requests': '9',
      'retry-after': '1',
      'openai-version': SECRET,
      'set-cookie': 'a=b',
      'openai-organization': 'org',
      'content-length': '2',
      'x-other': 'y',
      date: 'today',
    }
    expect((await kept(['{}'], headers)).headers).toEqual({
      ...JSON_TYPE,
      'x-request-id': 'req_1',
      'x-ratelimit-remaining-requests': '9',
      'retry-after': '1',
    })
  })

  test('decoded, whatever its Content-Encoding, and without that header', async () => {
    const response = await kept([Bun.gzipSync(utf8('{"a":1}'))], { ...JSON_TYPE, 'content-encoding': 'gzip' })
    expect(response).toMatchObject({ headers: JSON_TYPE, body: { json: { a: 1 } } })
    const stream = Bun.gzipSync(utf8('data: a\n\n'))
    const cut = [stream.subarray(0, 5), stream.subarray(5)]
    expect((await kept(cut, { ...SSE, 'content-encoding': 'gzip' })).events).toEqual([
      { at_ms: 10, text: 'data: a\n\n' },
    ])
    expect((await kept(['{}'], { ...JSON_TYPE, 'content-encoding': 'identity' })).body).toEqual({ json: {} })
    expect((await kept([], { ...SSE, 'content-encoding': 'gzip' })).events).toEqual([])
  })

  test('of more than 1 MiB as text: making the values of a long one would keep all others waiting', async () => {
    const text = `{"choices":[${'{},'.repeat(400_000)}{}]}`
    const response = await kept([text], JSON_TYPE)
    expect(response.body?.text?.length).toBe(text.length)
    expect((await playAnswer(response, undefined).text()) === text).toBe(true)
  })
})

describe('a secret in an answer', () => {
  test('gives way to as many stars', async () => {
    expect((await kept([`{"a":"${SECRET}"}`], JSON_TYPE)).body).toEqual({ json: { a: '*'.repeat(SECRET.length) } })
  })

  test('gives way to stars also where a chunk ends in it, and every chunk keeps its length', async () => {
    const response = await kept(['data: "the-key-', 'of', '-the-server"\n\n'], SSE)
    expect(response.events?.map(({ text }) => text)).toEqual(['data: "********', '**', '***********"\n\n'])
  })

  test('that the events only spell together keeps the answer out', async () => {
    const event = (content: string) => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`
    const spelled = [event('the-key'), event('-of-the'), event('-server'), 'data: [DONE]\n\n']
    expect(await described(spelled, SSE)).toBe('a secret is in it, piece by piece')
    const key = 'sk-proj-abcdefghijklmnopqrstuvwxyz'
    expect(await described([event(key), event('0123')], SSE)).toBe('a secret is in it, piece by piece')
    expect((await kept([event('the-key'), event('-of-me')], SSE)).events).toHaveLength(2)
  })

  test('that each event has as a whole gives way to stars in each', async () => {
    for (const secret of [SECRET, 'sk-proj-abcdefghijklmnopqrstuvwxyz']) {
      const events = ['a', secret, secret].map((content) => `data: {"a":[{"b":"${content}"}]}\n\n`)
      const stars = `data: {"a":[{"b":"${'*'.repeat(secret.length)}"}]}\n\n`
      expect((await kept(events, SSE)).events?.map(({ text }) => text)).toEqual([events[0] ?? '', stars, stars])
    }
  })

  test('that may be in a body which nobody can read keeps the answer out', async () => {
    for (const coding of ['gzip', 'aes128gcm']) {
      expect(await described(['abc'], { 'content-encoding': coding })).toBe('its Content-Encoding cannot be read')
    }
    const bomb = Bun.gzipSync(new Uint8Array(BODY_BYTES_MAX + 1))
    expect(await described([bomb], { 'content-encoding': 'gzip' })).toBe('its Content-Encoding cannot be read')
  })
})

const isFoundInPieces = (stream: string): boolean => hasSecretInPieces(utf8(stream), createScrub(['the-key-of-me']))

test.each([
  ['in events', 'data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
  ['with line ends of all kinds', 'data:{"delta":"the-key-"}\r\n\r\ndata: {"delta":"of-me"}\r\r'],
  ['where the last event has no end', 'data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}'],
  ['where an event has several lines', 'data: {"delta":\ndata: "the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
  ['where a server leaves out the blank lines', 'data: {"delta":"the-key-"}\ndata: {"delta":"of-me"}\n'],
  ['behind a byte order mark', '\uFEFFdata: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
])('a secret that events spell together is found %s', (_where, stream) => {
  expect(isFoundInPieces(stream)).toBe(true)
})

test('pieces in different places, or of something else, spell none', () => {
  expect(isFoundInPieces('data: {"delta":"the-key-"}\n\ndata: {"other":"of-me"}\n\n')).toBe(false)
  expect(isFoundInPieces('data: {"delta":"the-key-"}\n\ndata: {"delta":"of-you"}\n\n: the-key-\n\n')).toBe(false)
})
