import { describe, expect, test } from 'bun:test'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { SSE } from '../helpers/upstream-scripts.ts'

type Body = object | FormData

function send(gateway: MeteredGateway, key: string, path: string, body: Body): Promise<Response> {
  const isForm = body instanceof FormData
  return fetch(`${gateway.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...(!isForm && { 'content-type': 'application/json' }) },
    body: isForm ? body : JSON.stringify(body),
  })
}

function form(fields: Readonly<Record<string, string>>, bytes: number): FormData {
  const made = new FormData()
  made.append('file', new Blob([new Uint8Array(bytes)], { type: 'audio/mpeg' }), 'a.mp3')
  for (const [name, value] of Object.entries(fields)) made.append(name, value)
  return made
}

const sound: Script = async (request, connection) => {
  await request.body
  connection.respond(200, { 'content-type': 'audio/mpeg' }, new Uint8Array(1000))
}
const json =
  (value: unknown): Script =>
  async (request, connection) => {
    await request.body
    connection.json(value)
  }

/** Calls that say nothing of their model or their usage in their answers, and what each of them costs, in nano-dollars. */
const CALLS: readonly (readonly [
  what: string,
  path: string,
  body: () => Body,
  script: Script,
  cost: bigint,
  model: string,
])[] = [
  [
    'speech by its characters',
    ...(['audio/speech', () => ({ model: 'tts-1', input: 'a'.repeat(1000), voice: 'alloy' }), sound] as const),
    ...([15_000_000n, 'tts-1'] as const),
  ],
  [
    'a transcription by its seconds',
    ...(['audio/transcriptions', () => form({ model: 'whisper-1' }, 10_000)] as const),
    ...([json({ text: 'x', usage: { type: 'duration', seconds: 60 } }), 6_000_000n, 'whisper-1'] as const),
  ],
  [
    'a transcription whose answer tells nothing, by the bytes of its sound',
    ...(['audio/transcriptions', () => form({ model: 'whisper-1' }, 79_000)] as const),
    ...([json({ text: 'What was said.' }), 1_000_000n, 'whisper-1'] as const),
  ],
  [
    'an image by its size',
    ...(['images/generations', () => ({ model: 'dall-e-3', prompt: 'x', size: '1024x1024' })] as const),
    ...([json({ created: 1, data: [{ url: 'http://x/1' }] }), 40_000_000n, 'dall-e-3'] as const),
  ],
  [
    'an edit whose form names no model',
    ...(['images/edits', () => form({ prompt: 'x', size: '1024x1024' }, 100)] as const),
    ...([json({ created: 1, data: [{ url: 'http://x/1' }] }), 20_000_000n, 'dall-e-2'] as const),
  ],
]

describe('a call without limits is booked by its model and at its price', () => {
  test.each(CALLS)('%s', async (_what, path, body, script, cost, model) => {
    await using gateway = await startMetered(script)
    const keys = [await gateway.key(), 'token-of-the-tests', await gateway.key({ spend_limit: { month: 10_000 } })]
    for (const key of keys) {
      const answer = await send(gateway, key, path, body())
      expect(answer.status).toBe(200)
      await answer.bytes()
    }
    const booked = await gateway.bookedByModel(keys.length)
    expect([...booked.keys()]).toEqual([model])
    expect(booked.get(model)?.cost).toBe(cost * BigInt(keys.length))
  })
})

test('speech of a model that is billed by tokens is booked by about as many as are spoken', async () => {
  await using gateway = await startMetered(sound)
  const key = await gateway.key()
  const body = { model: 'gpt-4o-mini-tts', input: 'a'.repeat(1000), voice: 'alloy' }
  await (await send(gateway, key, 'audio/speech', body)).bytes()
  const { cost, usage } = await gateway.booked(1)
  // $12 a million of sound, $0.60 a million of text.
  expect(usage['outputAudio']).toBe(1400)
  expect(Number(cost) / 1e6).toBeWithin(16.8, 17.5)
})

test('one model is one line, whatever limits its caller has, and whatever its answer calls it', async () => {
  await using gateway = await startMetered(answerUsed(10, 5))
  for (const limits of [
    {},
    { spend_limit: { month: 1000 } },
    { rate_limits: [{ model: '*', max_tokens_per_1_minute: 9000 }] },
  ]) {
    const key = await gateway.key(limits)
    await (await gateway.ask(key, { max_tokens: 10 })).text()
    await (await send(gateway, key, 'responses', { model: 'gpt-4o', input: 'x', max_output_tokens: 16 })).text()
  }
  expect([...(await gateway.bookedByModel(6)).keys()]).toEqual(['gpt-4o'])
})

test('a refused call, and a stream that was left before its model was told, have the model that was asked for', async () => {
  await using gateway = await startMetered((_request, connection) => {
    connection.json({ error: { message: 'no', type: 'invalid_request_error', code: null, param: null } }, 400)
  })
  const key = await gateway.key()
  await (await send(gateway, key, 'embeddings', { model: 'text-embedding-3-small', input: 'x' })).text()
  gateway.upstreams.openai.play(async (request, connection) => {
    await request.body
    connection.startChunked(200, SSE)
    connection.chunk(': wait\n\n')
  })
  const leaving = new AbortController()
  const streaming = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', input: 'x', stream: true }),
    signal: leaving.signal,
  })
  await streaming.body?.getReader().read()
  leaving.abort()
  expect([...(await gateway.bookedByModel(2)).keys()].toSorted()).toEqual(['gpt-4o', 'text-embedding-3-small'])
})

test('what speech is in the usage is told by its endpoint, also where it was refused', async () => {
  await using gateway = await startMetered((_request, connection) => {
    connection.json({ error: { message: 'no', type: 'invalid_request_error', code: null, param: null } }, 400)
  })
  const key = await gateway.key()
  await (await send(gateway, key, 'audio/speech', { model: 'tts-1', input: 'x', voice: 'alloy' })).text()
  await gateway.booked(1)
  const requests = async (kind: string): Promise<unknown> => {
    const from = Math.floor(Date.now() / 1000) - 86_400
    const page = (await gateway.admin('GET', `/usage/${kind}?start_time=${from}&bucket_width=1d`)) as {
      data: { results: { num_model_requests: number }[] }[]
    }
    return page.data.flatMap(({ results }) => results.map((one) => one.num_model_requests))
  }
  expect([await requests('audio_speeches'), await requests('audio_transcriptions')]).toEqual([[1], []])
})

test('a form is counted for its model in whatever spelling its path is', async () => {
  await using gateway = await startMetered(json({ text: 'x', usage: { type: 'duration', seconds: 1 } }))
  const key = await gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 1 }] })
  const statuses: number[] = []
  for (const path of [
    'audio/transcriptions',
    'audio/transcriptions/',
    'Audio/transcriptions',
    'x/audio/transcriptions',
  ])
    statuses.push((await send(gateway, key, path, form({ model: 'whisper-1' }, 10))).status)
  expect(statuses).toEqual([200, 429, 429, 429])
})
