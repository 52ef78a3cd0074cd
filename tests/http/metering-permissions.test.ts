import { expect, test } from 'bun:test'
import { errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ALLOWED = { model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o', 'gpt-4o-mini'] } }

function send(gateway: MeteredGateway, key: string, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const listModels: Script = (_request, connection) => {
  const data = ['gpt-4o', 'gpt-4o-mini', 'o3'].map((id) => ({ id, object: 'model', created: 1, owned_by: 'openai' }))
  connection.json({ object: 'list', data })
}

test('a key sees the models that it may use, and of others not even that there are any', async () => {
  await using gateway = await startMetered(listModels)
  const key = await gateway.key(ALLOWED)
  const list = (await (await send(gateway, key, 'GET', 'models')).json()) as { data: { id: string }[] }
  expect(list.data.map(({ id }) => id)).toEqual(['gpt-4o', 'gpt-4o-mini'])
  const one = await send(gateway, key, 'GET', 'models/o3')
  expect(one.status).toBe(404)
  expect((await errorOf(one)).code).toBe('model_not_found')
  expect((await send(gateway, key, 'GET', 'models/gpt-4o')).status).toBe(200)
  const free = await gateway.key()
  expect(((await (await send(gateway, free, 'GET', 'models')).json()) as typeof list).data).toHaveLength(3)
})

test('this server’s own list of models is cut to what a key may use', async () => {
  const models = { 'gpt-4o': { targets: [{ upstream: 'openai' }] }, o3: { targets: [{ upstream: 'openai' }] } }
  await using gateway = await startMetered(answerOk, { file: { models } })
  const key = await gateway.key(ALLOWED)
  const list = (await (await send(gateway, key, 'GET', 'models')).json()) as { data: { id: string }[] }
  expect(list.data.map(({ id }) => id)).toEqual(['gpt-4o'])
  expect((await send(gateway, key, 'GET', 'models/o3')).status).toBe(404)
  expect((await send(gateway, key, 'GET', 'models/gpt-4o')).status).toBe(200)
})

test('no spelling and no place gets a model past a key’s list', async () => {
  await using gateway = await startMetered(answerOk)
  const key = await gateway.key({ model_permissions: { mode: 'deny_list', model_ids: ['o3*'] } })
  const refused = [
    ['chat/completions', { model: 'O3', messages: [{ role: 'user', content: 'x' }] }],
    ['embeddings', { model: 'o3-embedding', input: 'x' }],
    ['responses', { model: 'gpt-4o', input: 'x', tools: [{ type: 'image_generation', model: 'o3-image' }] }],
    ['chat/completions', { model: 'gpt-4o', fallbacks: ['o3'], messages: [{ role: 'user', content: 'x' }] }],
    ['messages/batches', { requests: [{ custom_id: '1', params: { model: 'o3', max_tokens: 1, messages: [] } }] }],
    ['engines/o3/completions', { prompt: 'x' }],
  ] as const
  for (const [path, body] of refused) {
    const answer = await send(gateway, key, 'POST', path, body)
    expect([path, answer.status]).toEqual([path, 404])
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(0)
  expect((await send(gateway, key, 'POST', 'embeddings', { model: 'text-embedding-3-small', input: 'x' })).status).toBe(
    200,
  )
})

test('a project’s list holds beside the key’s', async () => {
  await using gateway = await startMetered(answerOk)
  const project = await gateway.project()
  await gateway.admin('POST', `/projects/${project}/model_permissions`, { mode: 'allow_list', model_ids: ['gpt-4o'] })
  const key = await gateway.key(ALLOWED, project)
  expect((await gateway.ask(key)).status).toBe(200)
  expect((await gateway.ask(key, { model: 'gpt-4o-mini' })).status).toBe(404)
})

test('a key with endpoints can use those, and always ask which models there are', async () => {
  await using gateway = await startMetered(answerOk)
  const key = await gateway.key({ endpoints: ['chat/completions', 'audio/*'] })
  expect((await gateway.ask(key)).status).toBe(200)
  expect(
    (await send(gateway, key, 'POST', 'audio/speech', { model: 'tts-1', input: 'x', voice: 'alloy' })).status,
  ).toBe(200)
  const refused = await send(gateway, key, 'POST', 'embeddings', { model: 'text-embedding-3-small', input: 'x' })
  expect(refused.status).toBe(403)
  expect((await errorOf(refused)).code).toBe('endpoint_not_permitted')
  expect((await send(gateway, key, 'GET', 'models')).status).toBe(200)
})

test('what can’t be metered is closed to a key with a budget, unless its endpoints name it', async () => {
  await using gateway = await startMetered(answerOk)
  const key = await gateway.key({ spend_limit: { month: 1000 } })
  const calls = [
    ['POST', 'fine_tuning/jobs', { model: 'gpt-4o-mini', training_file: 'file-1' }],
    ['POST', 'vector_stores', { name: 'x' }],
    ['POST', 'containers', { name: 'x' }],
    ['POST', 'evals', {}],
    ['POST', 'batches', { input_file_id: 'file-1', endpoint: '/v1/embeddings', completion_window: '24h' }],
    ['POST', 'what_is_this', {}],
  ] as const
  for (const [method, path, body] of calls) {
    const answer = await send(gateway, key, method, path, body)
    expect([path, answer.status]).toEqual([path, 403])
    expect((await errorOf(answer)).message).toContain('endpoints')
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(0)
  expect(
    (await send(gateway, key, 'POST', 'responses', { model: 'gpt-4o', input: 'x', max_output_tokens: 16 })).status,
  ).toBe(200)
  const named = await gateway.key({ spend_limit: { month: 1000 }, endpoints: ['vector_stores*', 'responses'] })
  expect((await send(gateway, named, 'POST', 'vector_stores', { name: 'x' })).status).toBe(200)
})
