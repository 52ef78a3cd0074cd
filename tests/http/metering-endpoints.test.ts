import { describe, expect, test } from 'bun:test'
import { ENDPOINT_TABLE } from '../../src/openai/endpoint-table.ts'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

function send(gateway: MeteredGateway, key: string, path: string, body?: object, method = 'POST'): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const CHAT = { messages: [{ role: 'user', content: 'x' }], max_tokens: 10 }

/** Ways to write a call of a model that servers read in one way or another. */
const ODD_PATHS = [
  ['POST', '/v1/engines/gpt-4o/completions'],
  ['POST', '/v1/engines/gpt-4o/chat/completions'],
  ['POST', '/v1/deployments/gpt-4o/chat/completions'],
  ['POST', '/v1/openai/deployments/gpt-4o/chat/completions'],
  ['POST', '/v1/models/gpt-4o:generateContent'],
  ['POST', '/v1/completions/gpt-4o'],
  ['POST', '/v1/chat/completions/gpt-4o'],
  ['POST', '/v1/responses/responses'],
  ['POST', '/v1//chat/completions'],
  ['POST', '/v1/chat/completions/'],
  ['POST', '/v1/Chat/Completions'],
  ['POST', '/v1/ch%61t/completions'],
  ['POST', '/v1/anything/chat/completions'],
  ['PUT', '/v1/chat/completions'],
] as const

describe('no path leads around the counting', () => {
  test('for a key without limits: each call has a row, with its model', async () => {
    await using gateway = await startMetered(answerUsed(10, 5))
    const key = await gateway.key()
    for (const [method, path] of ODD_PATHS) {
      const answer = await send(gateway, key, path, { model: 'gpt-4o', ...CHAT }, method)
      expect([path, answer.status]).toEqual([path, 200])
      await answer.text()
    }
    const booked = await gateway.bookedByModel(ODD_PATHS.length)
    expect([...booked.keys()]).toEqual(['gpt-4o'])
    expect(booked.get('gpt-4o')?.requests).toBe(ODD_PATHS.length)
    expect(booked.get('gpt-4o')?.usage['inputText']).toBe(10 * ODD_PATHS.length)
  })

  test('for a key with a limit on tokens: what it uses is taken off', async () => {
    await using gateway = await startMetered(answerUsed(500, 500))
    for (const [method, path] of ODD_PATHS) {
      const key = await gateway.key({ rate_limits: [{ model: 'gpt-4o', max_tokens_per_1_minute: 1000 }] })
      const body = path.includes('gpt-4o') ? CHAT : { model: 'gpt-4o', ...CHAT }
      const first = await send(gateway, key, path, body, method)
      await first.text()
      if (first.status !== 200) expect([400, 403]).toContain(first.status)
      else expect([path, (await send(gateway, key, path, body, method)).status]).toEqual([path, 429])
    }
  })

  test('for a key with a rate of one model: a body that can’t be read, or names none, is refused', async () => {
    await using gateway = await startMetered(answerUsed(10, 5))
    const key = await gateway.key({ rate_limits: [{ model: 'gpt-4o', max_requests_per_1_minute: 1 }] })
    for (const [type, body] of [
      ['application/x-other', '{"model":"gpt-4o","input":"x"}'],
      ['application/json', '{"prompt":{"id":"pmpt_1"}}'],
    ] as const) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': type }
      const answer = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers, body })
      expect([type, answer.status, (await errorOf(answer)).code]).toEqual([type, 400, 'rules_not_applicable'])
    }
    expect((await send(gateway, key, '/v1/responses', { model: 'gpt-4o', input: 'x' })).status).toBe(200)
    expect((await send(gateway, key, '/v1/responses', { model: 'gpt-4o', input: 'x' })).status).toBe(429)
  })

  test('for a key with a budget: a call is closed, or settled', async () => {
    await using gateway = await startMetered(answerUsed(10, 5))
    const key = await gateway.key({ spend_limit: { month: 1000 } })
    let served = 0
    for (const [method, path] of ODD_PATHS) {
      const { status } = await send(gateway, key, path, CHAT, method)
      if (status === 200) served += 1
      else expect([path, [400, 403].includes(status)]).toEqual([path, true])
    }
    expect((await gateway.booked(served)).requests).toBe(served)
    expect(gateway.upstreams.openai.requests).toHaveLength(served)
  })

  test('for a key that may use one model: another one is never called', async () => {
    await using gateway = await startMetered(answerUsed(10, 5))
    const permissions = { model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o-mini'] } }
    const keys = [await gateway.key(permissions), await gateway.key({ ...permissions, endpoints: ['*'] })]
    for (const [method, path] of ODD_PATHS) {
      for (const body of [CHAT, { model: 'gpt-4o', ...CHAT }]) {
        for (const key of keys) {
          const { status } = await send(gateway, key, path, body, method)
          expect([path, [400, 403, 404].includes(status)]).toEqual([path, true])
        }
      }
    }
    expect(gateway.upstreams.openai.requests).toHaveLength(0)
  })
})

test('what can’t be counted is booked for keys without limits, and is no call of a model', async () => {
  await using gateway = await startMetered(answerOk)
  const key = await gateway.key()
  for (const path of ['/v1/vector_stores', '/v1/nobody/knows'])
    expect((await send(gateway, key, path, { name: 'x' })).status).toBe(200)
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.usage['inputText'] ?? 0, sum.cost]).toEqual([2, 0, 0n])
})

describe('a call that names no model is one of the model that OpenAI takes then', () => {
  test('with a budget', async () => {
    await using gateway = await startMetered(answerOk)
    const key = await gateway.key({ spend_limit: { month: 1000 } })
    expect((await send(gateway, key, '/v1/moderations', { input: 'x' })).status).toBe(200)
    expect((await send(gateway, key, '/v1/images/generations', { prompt: 'x', size: '1024x1024' })).status).toBe(200)
    const booked = await gateway.bookedByModel(2)
    expect([...booked.keys()].toSorted()).toEqual(['dall-e-2', 'omni-moderation-latest'])
    expect(booked.get('omni-moderation-latest')?.cost).toBe(0n)
    expect((await errorOf(await send(gateway, key, '/v1/embeddings', { input: 'x' }))).code).toBe(
      'rules_not_applicable',
    )
  })

  test('and where there is none, a form has to name it, too, where it matters', async () => {
    await using gateway = await startMetered(answerOk)
    const form = new FormData()
    form.append('file', new Blob(['x']), 'a.mp3')
    for (const limits of [
      { model_permissions: { mode: 'deny_list', model_ids: ['o3'] } },
      { spend_limit: { day: 9 } },
    ]) {
      const headers = { authorization: `Bearer ${await gateway.key(limits)}` }
      const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: form })
      expect([400, 403]).toContain(answer.status)
    }
    expect(gateway.upstreams.openai.requests).toHaveLength(0)
  })

  test('which its key has to permit', async () => {
    await using gateway = await startMetered(answerOk)
    const key = await gateway.key({ model_permissions: { mode: 'allow_list', model_ids: ['omni-*'] } })
    expect((await send(gateway, key, '/v1/moderations', { input: 'x' })).status).toBe(200)
    const refused = await send(gateway, key, '/v1/images/generations', { prompt: 'x' })
    expect([refused.status, (await errorOf(refused)).code]).toEqual([404, 'model_not_found'])
  })
})

test('what makes nothing takes no request and no place of a key', async () => {
  const hold = Promise.withResolvers<void>()
  const script: Script = async (request, connection) => {
    await request.body
    if (request.method === 'POST') await hold.promise
    connection.json({ object: 'list', data: [] })
  }
  await using gateway = await startMetered(script)
  const rates = [{ model: '*', max_requests_per_1_minute: 1 }]
  const key = await gateway.key({ rate_limits: rates, concurrency: 1 })
  const calling = gateway.ask(key)
  await gateway.upstreams.openai.request(1)
  for (const path of ['/v1/models', '/v1/files', '/v1/models', '/v1/batches'])
    expect((await send(gateway, key, path, undefined, 'GET')).status).toBe(200)
  hold.resolve()
  expect((await calling).status).toBe(200)
  expect((await gateway.ask(key)).status).toBe(429)
})

test('the list of models is cut to what a key may use, in whatever spelling it is asked for', async () => {
  await using gateway = await startMetered((_request, connection) => {
    connection.json({ object: 'list', data: ['gpt-4o', 'o3'].map((id) => ({ id, object: 'model' })) })
  })
  const key = await gateway.key({ model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o'] } })
  for (const path of [
    '/v1/models',
    '/v1//models',
    '/v1/Models',
    '/v1/models/',
    '/v1/mod%65ls?limit=5',
    '/v1/engines',
  ]) {
    const answer = await send(gateway, key, path, undefined, 'GET')
    expect([path, await answer.text()]).not.toEqual([path, expect.stringContaining('o3') as never])
  }
  for (const path of ['/v1/models/o3', '/v1//models/o3', '/v1/Models/O3', '/v1/models/o3/', '/v1/engines/o3']) {
    expect([path, (await send(gateway, key, path, undefined, 'GET')).status]).toEqual([path, 404])
    expect([path, (await send(gateway, key, path, undefined, 'DELETE')).status]).not.toEqual([path, 200])
  }
  expect((await send(gateway, key, '/v1/models/gpt-4o', undefined, 'GET')).status).toBe(200)
})

test('every good answer of a call of a model has a row, however its path is written, with a budget and without', async () => {
  await using gateway = await startMetered(answerUsed(10, 5))
  const keys = [await gateway.key(), await gateway.key({ spend_limit: { month: 1_000_000 } })]
  const calls = ENDPOINT_TABLE.flatMap((row) => (row.kind === 'call' ? row.paths : []))
  let served = 0
  const sending = calls.flatMap((path) =>
    [
      `/v1/${path}`,
      `/${path}`,
      `/v1/${path}/`,
      `/v1//${path}`,
      `/v1/${path.toUpperCase()}`,
      `/v1/${path}/gpt-4o`,
    ].flatMap((target) =>
      keys.map(async (key) => {
        const answer = await send(gateway, key, target, { model: 'gpt-4o', input: 'x', ...CHAT })
        await answer.text()
        if (answer.ok) served += 1
        else expect([target, [400, 403, 404].includes(answer.status)]).toEqual([target, true])
      }),
    ),
  )
  await Promise.all(sending)
  // Each path is served to one key at least.
  expect(served).toBeGreaterThan(calls.length * 4)
  expect((await gateway.booked(served)).requests).toBe(served)
  expect(gateway.upstreams.openai.requests).toHaveLength(served)
})
