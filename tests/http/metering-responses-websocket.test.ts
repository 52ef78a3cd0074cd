import { expect, test } from 'bun:test'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import { type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { openSession } from '../helpers/session-client.ts'
import { until } from '../helpers/until.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'
import { respondAtOnce, type SessionScript, startWebSocketUpstream } from '../helpers/websocket-upstream.ts'

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const CREATE = { type: 'response.create', model: 'gpt-4o', input: 'hello', max_output_tokens: 100 } as const

async function startPair(script: SessionScript = respondAtOnce) {
  const upstream = await startWebSocketUpstream(script)
  const gateway = await startMetered(answerOk, { file: { upstreams: { openai: { base_url: `${upstream.url}/v1` } } } })
  const open = (key: string) => openSession(gateway.url, '/v1/responses', key)
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await upstream[Symbol.asyncDispose]()
  }
  return { upstream, gateway, open, [Symbol.asyncDispose]: stop }
}

const post = (gateway: MeteredGateway, key: string) =>
  fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"model":"gpt-4o","input":"hello","max_output_tokens":100}',
  })

test('a response that is asked for by an event goes on byte for byte, and is booked as one call', async () => {
  await using pair = await startPair()
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 } }))
  const text = '{ "type":"response.create",  "model":"gpt-4o", "input":"h\\u00e9llo", "max_output_tokens":1e2 }'
  client.send(text)
  expect(await client.until('response.completed')).toMatchObject({ response: { status: 'completed' } })
  client.send(CREATE)
  await client.until('response.completed')
  expect(pair.upstream.received[0]).toBe(text)
  const sum = await pair.gateway.booked(2)
  expect([sum.requests, sum.usage]).toEqual([2, expect.objectContaining({ inputText: 200, outputText: 100 })])
  // gpt-4o: $2.50 and $10 for a million.
  expect(sum.cost).toBe(BigInt(200 * 2500 + 100 * 10_000))
  client.close()
})

test('each is under the limits by itself: the refused one is an event in OpenAI’s form, and the session goes on', async () => {
  await using pair = await startPair()
  const client = await pair.open(
    await pair.gateway.key({ rate_limits: [{ model: 'gpt-4o', max_requests_per_1_minute: 1 }] }),
  )
  client.send(CREATE)
  await client.until('response.completed')
  client.send({ ...CREATE, stream_id: 'lane' })
  expect(await client.next()).toEqual({
    type: 'error',
    status: 429,
    stream_id: 'lane',
    error: {
      type: 'requests',
      code: 'rate_limit_exceeded',
      message: expect.stringContaining('requests per min (RPM): Limit 1'),
      param: null,
    },
  })
  client.send({ ...CREATE, model: 'gpt-4o-mini' })
  await client.until('response.completed')
  expect(pair.upstream.received.map((text) => (JSON.parse(text) as { model: string }).model)).toEqual([
    'gpt-4o',
    'gpt-4o-mini',
  ])
  client.close()
})

test('a model that the key may not use is refused in whatever event, however it is spelled', async () => {
  await using pair = await startPair()
  const client = await pair.open(
    await pair.gateway.key({ model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o'] } }),
  )
  const refused: readonly (readonly [text: string, code: string | null])[] = [
    [JSON.stringify({ ...CREATE, model: 'o3' }), 'model_not_found'],
    ['{"type":"response\\u002ecreate","model":"o3","input":"x"}', 'model_not_found'],
    ['{"type":"response.create","model":"o3","model":"gpt-4o","input":"x"}', 'rules_not_applicable'],
    ['{"type":"response.create","model":"o3","type":"response.cancel"}', 'rules_not_applicable'],
    ['{"type":"response.create","Model":"o3"}', 'rules_not_applicable'],
    ['{"type":"response.create","model":"o3",}', null],
    [JSON.stringify({ ...CREATE, tools: [{ type: 'image_generation', model: 'gpt-image-1' }] }), 'model_not_found'],
    ['{"type":"response.create","input":"x"}', 'rules_not_applicable'],
  ]
  for (const [text, code] of refused) {
    client.send(text)
    expect([text, await client.next()]).toEqual([
      text,
      expect.objectContaining({ type: 'error', error: expect.objectContaining({ code }) }),
    ])
  }
  client.socket.send(new TextEncoder().encode(JSON.stringify(CREATE)))
  expect(await client.next()).toMatchObject({ type: 'error', error: { code: 'rules_not_applicable' } })
  expect(pair.upstream.received).toEqual([])
  client.close()
})

test('money is held when it is asked for, and what was not used is free again when the response is over', async () => {
  // 100 tokens are written at $0.001, and few are read: some $0.0011 are held, and $0.00075 are spent.
  await using pair = await startPair(() => undefined)
  const key = await pair.gateway.key({ spend_limit: { month: 0.25 } })
  const client = await pair.open(key)
  client.send({ ...CREATE, stream_id: 'a' })
  client.send({ ...CREATE, stream_id: 'b' })
  client.send({ ...CREATE, stream_id: 'c' })
  expect(await client.next()).toMatchObject({ type: 'error', status: 429, stream_id: 'c', error: { type: 'tokens' } })
  expect((await post(pair.gateway, key)).status).toBe(429)
  const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 }
  for (const lane of ['a', 'b']) {
    pair.upstream.say({ type: 'response.created', stream_id: lane, response: { id: lane } })
    pair.upstream.say({
      type: 'response.completed',
      stream_id: lane,
      response: { id: lane, status: 'completed', usage },
    })
    await client.until('response.completed')
  }
  expect((await post(pair.gateway, key)).status).toBe(200)
  const sum = await pair.gateway.booked(3)
  expect(sum.cost).toBe(BigInt(2 * (10 * 2500 + 10 * 10_000) + 100 * 2500 + 50 * 10_000))
  client.close()
})

test('a budget that is spent refuses an upgrade with 426, and the POST that follows says why', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({ spend_limit: { month: 0.05 } })
  const client = await pair.open(key)
  // The upstream writes more than it was asked for.
  client.send({ ...CREATE, max_output_tokens: 16 })
  await client.until('response.completed')
  client.send({ ...CREATE, max_output_tokens: 16 })
  expect(await client.next()).toMatchObject({ type: 'error', status: 429, error: { code: 'insufficient_quota' } })
  client.close()
  const upgrade = getText('/v1/responses', { ...HANDSHAKE, Authorization: `Bearer ${key}` })
  expect(statusAndCode(await sendRaw(pair.gateway.port, upgrade))).toBe('426 websocket_not_relayed')
  const posted = await post(pair.gateway, key)
  expect([posted.status, await posted.json()]).toEqual([
    429,
    expect.objectContaining({ error: expect.objectContaining({ code: 'insufficient_quota' }) }),
  ])
})

test('an endpoint that the key may not use is a 426, too', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({ endpoints: ['chat/completions'] })
  const refused = await sendRaw(
    pair.gateway.port,
    getText('/v1/responses', { ...HANDSHAKE, Authorization: `Bearer ${key}` }),
  )
  expect(statusAndCode(refused)).toBe('426 websocket_not_relayed')
  expect((await post(pair.gateway, key)).status).toBe(403)
})

test('a session that ends in the middle of a response has used what was seen of it, and holds nothing', async () => {
  await using pair = await startPair(() => undefined)
  const key = await pair.gateway.key({ spend_limit: { month: 0.15 } })
  const client = await pair.open(key)
  client.send(CREATE)
  await pair.upstream.next()
  pair.upstream.say({ type: 'response.created', response: { id: 'a' } })
  pair.upstream.say({ type: 'response.output_text.delta', delta: 'x'.repeat(40) })
  await client.until('response.output_text.delta')
  client.socket.terminate()
  await pair.upstream.closed
  const sum = await pair.gateway.booked(1)
  expect(sum.usage).toMatchObject({ outputText: 10 })
  expect((await post(pair.gateway, key)).status).toBe(200)
})

test('a response that its upstream refuses costs nothing, and one that fails costs what it says', async () => {
  await using pair = await startPair((event, say) => {
    const { metadata } = event as { readonly metadata?: { readonly fails?: string } }
    if (metadata?.fails === undefined)
      say({
        type: 'error',
        status: 400,
        error: { type: 'invalid_request_error', code: 'previous_response_not_found', message: 'x', param: null },
      })
    else
      say({
        type: 'response.failed',
        response: { id: 'r', status: 'failed', usage: { input_tokens: 4, output_tokens: 0, total_tokens: 4 } },
      })
  })
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 } }))
  client.send(CREATE)
  expect(await client.next()).toMatchObject({ error: { code: 'previous_response_not_found' } })
  client.send({ ...CREATE, metadata: { fails: 'yes' } })
  await client.until('response.failed')
  expect((await pair.gateway.booked(2)).cost).toBe(BigInt(4 * 2500))
  client.close()
})

test('a key that is revoked while its session is open asks for nothing more, and the session ends', async () => {
  await using pair = await startPair()
  const projectId = await pair.gateway.project()
  const key = await pair.gateway.key({}, projectId)
  const client = await pair.open(key)
  client.send(CREATE)
  await client.until('response.completed')
  const { data } = (await pair.gateway.admin('GET', `/projects/${projectId}/api_keys`)) as { data: { id: string }[] }
  await pair.gateway.admin('DELETE', `/projects/${projectId}/api_keys/${data[0]?.id}`)
  for (;;) {
    client.send(CREATE)
    const event = await client.next()
    if (event.type !== 'error') continue
    expect(event).toMatchObject({ status: 401, error: { code: 'invalid_api_key' } })
    break
  }
  for (;;) {
    const event = await client.next()
    if (event.type !== 'closed') continue
    expect(event).toMatchObject({ code: 1008 })
    break
  }
})

test('OpenAI’s own client speaks to it, and hears of a refusal as of its own', async () => {
  await using pair = await startPair()
  const key = await pair.gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 1 }] })
  const socket = new ResponsesWS(new OpenAI({ apiKey: key, baseURL: `${pair.gateway.url}/v1` }))
  const done = Promise.withResolvers<string>()
  const failed = Promise.withResolvers<unknown>()
  socket.on('response.completed', ({ response }) => done.resolve(String(response.status)))
  socket.on('error', ({ error }) => failed.resolve(error))
  socket.send(CREATE)
  expect(await done.promise).toBe('completed')
  socket.send(CREATE)
  expect(await failed.promise).toMatchObject({ type: 'error', status: 429, error: { code: 'rate_limit_exceeded' } })
  socket.close()
})

test('events that come while one is being decided keep their order', async () => {
  await using pair = await startPair(() => undefined)
  const client = await pair.open(await pair.gateway.key({ spend_limit: { month: 100 } }))
  const sent = Array.from({ length: 40 }, (_, at) =>
    at % 3 === 0 ? { ...CREATE, metadata: { at: String(at) } } : { type: 'response.cancel', at },
  )
  for (const event of sent) client.send(event)
  for (const event of sent) expect(await pair.upstream.next()).toEqual(event)
  client.close()
})

test('sessions that race for a budget overspend nothing, and leave nothing held', async () => {
  let [made, number] = [0, 0]
  await using pair = await startPair((event, say) => {
    if (event.type !== 'response.create') return
    number += 1
    const response = { id: `resp_${number}`, object: 'response', model: 'gpt-4o' }
    say({ type: 'response.created', response })
    // Some sessions are left by then.
    setTimeout(() => {
      made += 1
      const output_tokens = 1 + ((made * 37) % 100)
      const usage = { input_tokens: 10, output_tokens, total_tokens: 10 + output_tokens }
      say({ type: 'response.completed', response: { ...response, status: 'completed', usage } })
    }, number % 7)
  })
  // Some 60 responses, of which each holds the cost of two.
  const limit = 30_000_000n
  const key = await pair.gateway.key({ spend_limit: { month: Number(limit) / 10_000_000 } })
  const converse = async (session: number): Promise<void> => {
    const client = await pair.open(key)
    for (let call = 0; call < 12; call += 1) {
      client.send(CREATE)
      if (call === 9 && session % 4 === 0) break
      for (let isOver = false; !isOver; ) {
        const { type } = await client.next()
        isOver = type === 'response.completed' || type === 'error'
      }
    }
    client.close()
  }
  await Promise.all(Array.from({ length: 16 }, (_, session) => converse(session)))
  const shown = async (): Promise<{ readonly spent: number; readonly reserved: number }> => {
    const answer = await fetch(`${pair.gateway.url}/v1/organization/projects/me/api_keys/me`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const { spend } = (await answer.json()) as { spend: [{ spent: number; reserved: number }] }
    return spend[0]
  }
  await until(async () => (await shown()).reserved === 0)
  await until(
    async () => (await pair.gateway.booked(1)).cost === BigInt(Math.round((await shown()).spent * 10_000_000)),
  )
  const { cost, requests } = await pair.gateway.booked(1)
  expect(cost).toBeLessThanOrEqual(limit)
  expect([cost > (limit * 8n) / 10n, requests > 40]).toEqual([true, true])
})
