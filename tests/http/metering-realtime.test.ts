import { expect, test } from 'bun:test'
import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { startMetered } from '../helpers/metered-gateway.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'
import { openSession } from '../helpers/session-client.ts'
import { until } from '../helpers/until.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'
import { type SessionScript, startWebSocketUpstream } from '../helpers/websocket-upstream.ts'

const REALTIME = '/v1/realtime?model=gpt-realtime'
const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const usage = {
  ...{ total_tokens: 150, input_tokens: 100, output_tokens: 50 },
  input_token_details: { text_tokens: 40, audio_tokens: 60, cached_tokens: 0 },
  output_token_details: { text_tokens: 10, audio_tokens: 40 },
}
/** gpt-realtime: $4 and $16 for a million tokens of text, $32 and $64 of sound. */
const COST = BigInt(40 * 4000 + 60 * 32_000 + 10 * 16_000 + 40 * 64_000)
const CREATE = { type: 'response.create', event_id: 'mine', response: { max_output_tokens: 100 } } as const
const SOUND = { type: 'input_audio_buffer.append', audio: Buffer.alloc(4800).toString('base64') }

const created = (id: string): object => ({ type: 'response.created', response: { id, status: 'in_progress' } })
const done = (id: string, status = 'completed'): object => ({
  type: 'response.done',
  response: { object: 'realtime.response', id, status, output: [], usage },
})
const respond: SessionScript = (event, say) => {
  if (event.type !== 'response.create') return
  say(created('r'))
  say(done('r'))
}

/** What a key is told of itself. */
async function own(url: string, key: string) {
  const answer = await fetch(`${url}/v1/organization/projects/me/api_keys/me`, {
    headers: { authorization: `Bearer ${key}` },
  })
  return (await answer.json()) as { readonly spend: readonly { readonly reserved: number }[] }
}

async function startPair(script: SessionScript = respond) {
  const upstream = await startWebSocketUpstream(script)
  const gateway = await startMetered(answerOk, { file: { upstreams: { openai: { base_url: `${upstream.url}/v1` } } } })
  const open = (key: string) => openSession(gateway.url, REALTIME, key)
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await upstream[Symbol.asyncDispose]()
  }
  return { upstream, gateway, open, [Symbol.asyncDispose]: stop }
}

test('a session is open to a key whose money is limited: each response is held, settled and booked by itself', async () => {
  await using pair = await startPair()
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 } }))
  for (let response = 0; response < 2; response += 1) {
    client.send(CREATE)
    await client.until('response.done')
  }
  const sum = await pair.gateway.booked(2)
  expect([sum.requests, sum.cost, sum.usage]).toEqual([
    2,
    2n * COST,
    expect.objectContaining({ inputText: 80, inputAudio: 120, outputText: 20, outputAudio: 80 }),
  ])
  client.close()
})

test('a response that does not fit is refused by an event in OpenAI’s form that names the event it answers', async () => {
  await using pair = await startPair()
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 1 } }))
  // 100 tokens of sound are $0.0064; as many as the model can speak are $0.26.
  client.send({ type: 'response.create', event_id: 'all' })
  expect(await client.next()).toEqual({
    type: 'error',
    event_id: expect.stringMatching(/^event_/),
    error: {
      type: 'invalid_request_error',
      code: 'request_exceeds_limit',
      message: expect.stringContaining('may cost up to $0.26'),
      param: null,
      event_id: 'all',
    },
  })
  client.send(CREATE)
  await client.until('response.done')
  client.send(CREATE)
  expect(await client.next()).toMatchObject({ type: 'error', error: { code: 'insufficient_quota', event_id: 'mine' } })
  expect(pair.upstream.received).toEqual([JSON.stringify(CREATE)])
  client.close()
})

test('what has been said and heard so far is part of what the next response can cost', async () => {
  await using pair = await startPair()
  const client = await pair.open(
    await pair.gateway.key({ rate_limits: [{ model: '*', max_tokens_per_1_minute: 1000 }] }),
  )
  client.send(CREATE)
  await client.until('response.done')
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x'.repeat(2400) }] }
  client.send({ type: 'conversation.item.create', item })
  client.send(CREATE)
  expect(await client.next()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  client.close()
})

test('a response that the upstream begins by itself is provided for before the user is heard, and booked', async () => {
  await using pair = await startPair(() => undefined)
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 1000 } }))
  pair.upstream.say({ type: 'session.created', session: { model: 'gpt-realtime', max_output_tokens: 100 } })
  await client.until('session.created')
  client.send(SOUND)
  client.send(SOUND)
  await pair.upstream.next()
  await pair.upstream.next()
  pair.upstream.say(created('r'))
  pair.upstream.say(done('r'))
  await client.until('response.done')
  expect((await pair.gateway.booked(1)).cost).toBe(COST)
  client.close()
})

test('where nothing is left for it, the user is not heard, and the client is told', async () => {
  await using pair = await startPair(() => undefined)
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 1 } }))
  client.send(SOUND)
  client.send(SOUND)
  expect(await client.next()).toMatchObject({ type: 'error', error: { code: 'request_exceeds_limit', event_id: null } })
  client.send({ type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection: null } } } })
  expect(await pair.upstream.next()).toMatchObject({ type: 'session.update' })
  // Once the session makes no responses by itself, all is heard: only what is asked for costs.
  pair.upstream.say({ type: 'session.updated', session: { audio: { input: { turn_detection: null } } } })
  await client.until('session.updated')
  client.send(SOUND)
  expect(await pair.upstream.next()).toEqual(SOUND)
  client.close()
})

test('a response that nobody has asked or provided for is counted when it begins; where nothing is left, the session ends', async () => {
  await using pair = await startPair(() => undefined)
  const key = await pair.gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 1 }] })
  const client = await pair.open(key)
  pair.upstream.say({ type: 'session.created', session: { turn_detection: null } })
  pair.upstream.say(created('a'))
  pair.upstream.say(done('a'))
  await client.until('response.done')
  pair.upstream.say(created('b'))
  pair.upstream.say({ type: 'response.output_audio_transcript.delta', response_id: 'b', delta: 'x'.repeat(40) })
  expect(await client.until('error')).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
  for (;;) {
    const event = await client.next()
    if (event.type !== 'closed') continue
    expect(event).toMatchObject({ code: 1008, reason: 'limit reached' })
    break
  }
  await pair.upstream.closed
  const sum = await pair.gateway.booked(2)
  expect([sum.requests, sum.cost > COST]).toEqual([2, true])
})

test('a cancelled response costs what it says, and one that is refused is no call', async () => {
  await using pair = await startPair((event, say) => {
    if (event.type === 'response.create' && event['event_id'] === 'bad') {
      say({
        type: 'error',
        event_id: 'e',
        error: { type: 'invalid_request_error', code: 'x', message: 'no', event_id: 'bad' },
      })
    } else if (event.type === 'response.create') say(created('r'))
    else if (event.type === 'response.cancel') say(done('r', 'cancelled'))
  })
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 }, concurrency: 1 }))
  client.send({ ...CREATE, event_id: 'bad' })
  await client.until('error')
  client.send(CREATE)
  await client.until('response.created')
  client.send({ ...CREATE, event_id: 'second' })
  expect(await client.until('error')).toMatchObject({ error: { code: 'rate_limit_exceeded', event_id: 'second' } })
  client.send({ type: 'response.cancel' })
  await client.until('response.done')
  expect((await pair.gateway.booked(2)).cost).toBe(COST)
  client.close()
})

test('what was held for a response that never began is free again when its session ends', async () => {
  await using pair = await startPair(() => undefined)
  // What is held ahead is some $0.36: the sound of five minutes, and as much as the model can speak.
  const key = await pair.gateway.key({ spend_limit: { month: 50 } })
  for (let time = 0; time < 2; time += 1) {
    const client = await pair.open(key)
    client.send(SOUND)
    expect(await pair.upstream.next()).toEqual(SOUND)
    const other = await pair.open(key)
    other.send(SOUND)
    expect(await other.next()).toMatchObject({ type: 'error', error: { type: 'tokens', code: 'rate_limit_exceeded' } })
    other.close()
    client.close()
    await until(async () => Number((await own(pair.gateway.url, key)).spend[0]?.reserved) === 0)
  }
})

test('what is held ahead stands in the way of nothing that is asked for, and takes no request if it is not made', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({
    concurrency: 1,
    spend_limit: { month: 50 },
    rate_limits: [{ model: '*', max_requests_per_1_minute: 2 }],
  })
  const client = await pair.open(key)
  for (let time = 0; time < 2; time += 1) {
    client.send(SOUND)
    client.send(CREATE)
    await client.until('response.done')
  }
  client.send(CREATE)
  expect(await client.next()).toMatchObject({ type: 'error', error: { code: 'rate_limit_exceeded' } })
  expect((await pair.gateway.booked(2)).requests).toBe(2)
  client.close()
})

test('an upgrade to realtime is refused as itself once all is spent', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({ spend_limit: { month: 0.4 } })
  const client = await pair.open(key)
  // The upstream says more than it was asked for.
  client.send({ ...CREATE, response: { max_output_tokens: 10 } })
  await client.until('response.done')
  const upgrade = getText(REALTIME, { ...HANDSHAKE, Authorization: `Bearer ${key}` })
  expect(statusAndCode(await sendRaw(pair.gateway.port, upgrade))).toBe('429 insufficient_quota')
  client.close()
})

test('a model that the key may not use is refused in the URL, and in what it asks of the session', async () => {
  await using pair = await startPair()
  const permits = { model_permissions: { mode: 'allow_list', model_ids: ['gpt-realtime'] } }
  const key = await pair.gateway.key(permits)
  const upgrade = getText('/v1/realtime?model=gpt-4o-realtime-preview', {
    ...HANDSHAKE,
    Authorization: `Bearer ${key}`,
  })
  expect(statusAndCode(await sendRaw(pair.gateway.port, upgrade))).toBe('404 model_not_found')
  const client = await pair.open(key)
  client.send({ type: 'session.update', session: { audio: { input: { transcription: { model: 'whisper-1' } } } } })
  expect(await client.next()).toMatchObject({ type: 'error', error: { code: 'model_not_found' } })
  expect(pair.upstream.received).toEqual([])
  client.close()
})

test('a limited key’s session stays one of the model that its URL names', async () => {
  await using pair = await startPair()
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 } }))
  client.send({ type: 'session.update', event_id: 'other', session: { model: 'gpt-realtime-2' } })
  expect(await client.next()).toMatchObject({ type: 'error', error: { param: 'session.model', event_id: 'other' } })
  const own = { type: 'session.update', session: { model: 'gpt-realtime', output_modalities: ['text'] } }
  client.send(own)
  expect(await pair.upstream.next()).toEqual(own)
  client.close()
})

test('a transcription is booked at the price of the model that has written it', async () => {
  await using pair = await startPair()
  const client = await pair.open(await pair.gateway.key())
  pair.upstream.say({
    type: 'session.created',
    session: { audio: { input: { transcription: { model: 'gpt-4o-transcribe' }, turn_detection: null } } },
  })
  pair.upstream.say({
    type: 'conversation.item.input_audio_transcription.completed',
    transcript: 'Hi',
    usage: {
      ...{ type: 'tokens', total_tokens: 22, input_tokens: 13, output_tokens: 9 },
      input_token_details: { text_tokens: 0, audio_tokens: 13 },
    },
  })
  await client.until('conversation.item.input_audio_transcription.completed')
  // gpt-4o-transcribe: $2.50 for a million tokens that are read, $10 for those that are written.
  expect((await pair.gateway.booked(1)).cost).toBe(BigInt(13 * 2500 + 9 * 10_000))
  client.close()
})

test('OpenAI’s own realtime client hears of a refusal as of its own', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 1 }] })
  // The client takes no address without TLS.
  const { cert, key: certKey, remove } = makeSelfSigned()
  const tls = createServer({ cert, key: certKey }, (socket) => {
    socket.pipe(connect(pair.gateway.port, '127.0.0.1')).pipe(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => void tls.listen(0, '127.0.0.1', () => resolve()))
  const { port } = tls.address() as AddressInfo
  const openai = new OpenAI({ apiKey: key, baseURL: `https://127.0.0.1:${port}/v1` })
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { rejectUnauthorized: false } }, openai)
  const finished = Promise.withResolvers<string>()
  const failed = Promise.withResolvers<unknown>()
  realtime.on('response.done', ({ response }) => finished.resolve(String(response.status)))
  realtime.on('error', ({ error }) => failed.resolve(error))
  await new Promise((resolve) => realtime.socket.once('open', resolve))
  realtime.send({ type: 'response.create' })
  expect(await finished.promise).toBe('completed')
  realtime.send({ type: 'response.create', event_id: 'second' })
  expect(await failed.promise).toMatchObject({ code: 'rate_limit_exceeded', event_id: 'second' })
  realtime.close()
  tls.close()
  remove()
})
