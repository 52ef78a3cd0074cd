import { expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { until } from '../helpers/until.ts'
import { SSE } from '../helpers/upstream-scripts.ts'

function send(gateway: MeteredGateway, key: string, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const IMAGE_USAGE = {
  ...{ input_tokens: 100, output_tokens: 8320, total_tokens: 8420 },
  input_tokens_details: { text_tokens: 100, image_tokens: 0 },
}

const answer =
  (value: unknown): Script =>
  async (request, connection) => {
    await request.body
    connection.json(value)
  }

test('a batch is booked when it is fetched and done, at the price of batches, and once', async () => {
  const batch = {
    id: 'batch_1',
    object: 'batch',
    model: 'gpt-4o',
    usage: { input_tokens: 1_000_000, output_tokens: 0, total_tokens: 1_000_000 },
  }
  await using gateway = await startMetered(answer({ ...batch, status: 'in_progress', usage: null }))
  const key = await gateway.key()
  expect((await send(gateway, key, 'GET', 'batches/batch_1')).status).toBe(200)
  gateway.upstreams.openai.play(answer({ ...batch, status: 'completed' }))
  for (let time = 0; time < 3; time += 1) await (await send(gateway, key, 'GET', 'batches/batch_1')).text()
  gateway.upstreams.openai.play(answerUsed(1000, 100))
  await (await gateway.ask(key)).text()
  const sum = await gateway.booked(2)
  expect(sum.requests).toBe(2)
  // Half of $2.50, and the call behind it.
  expect(sum.cost).toBe(1_250_000_000n + 3_500_000n)
})

test('a batch counts in the budgets of its caller as soon as it is booked', async () => {
  const usage = { input_tokens: 1_000_000, output_tokens: 0, total_tokens: 1_000_000 }
  await using gateway = await startMetered(answerUsed(10, 5))
  const key = await gateway.key({ spend_limit: { day: 127 }, endpoints: ['chat/completions', 'batches/*'] })
  expect((await gateway.ask(key, { max_tokens: 5000 })).status).toBe(200)
  gateway.upstreams.openai.play(answer({ id: 'batch_1', object: 'batch', model: 'gpt-4o', status: 'completed', usage }))
  expect((await send(gateway, key, 'GET', 'batches/batch_1')).status).toBe(200)
  gateway.upstreams.openai.play(answerUsed(10, 5))
  let limit = ''
  await until(async () => {
    const { headers } = await gateway.ask(key, { max_tokens: 5000 })
    limit = headers.get('x-nexcode-limit') ?? ''
    return limit !== ''
  })
  expect(limit).toContain('limit=1.27;spent=1.25')
})

test('a response in the background is booked when it is fetched and done, and once', async () => {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-4o-2024-08-06', background: true, output: [] }
  const usage = { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 }
  await using gateway = await startMetered(answer({ ...response, status: 'queued', usage: null }))
  const key = await gateway.key()
  await (await send(gateway, key, 'POST', 'responses', { model: 'gpt-4o', input: 'x', background: true })).text()
  gateway.upstreams.openai.play(answer({ ...response, status: 'completed', usage }))
  for (let time = 0; time < 3; time += 1) await (await send(gateway, key, 'GET', 'responses/resp_1')).text()
  gateway.upstreams.openai.play(answerUsed(1000, 100))
  await (await gateway.ask(key)).text()
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.cost]).toEqual([2, 7_000_000n])
})

test('a response that is fetched after its call is not booked a second time', async () => {
  const usage = { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 }
  const response = { id: 'resp_2', object: 'response', model: 'gpt-4o', status: 'completed', output: [], usage }
  await using gateway = await startMetered(answer(response))
  const key = await gateway.key()
  await (await send(gateway, key, 'POST', 'responses', { model: 'gpt-4o', input: 'x' })).text()
  await (await send(gateway, key, 'GET', 'responses/resp_2')).text()
  gateway.upstreams.openai.play(answerUsed(1000, 100))
  await (await gateway.ask(key)).text()
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.cost]).toEqual([2, 7_000_000n])
})

test('speech is booked by the characters that were spoken', async () => {
  await using gateway = await startMetered(async (request, connection) => {
    await request.body
    connection.respond(200, { 'content-type': 'audio/mpeg' }, new Uint8Array(1000))
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  const input = 'a'.repeat(1000)
  const spoken = await send(gateway, key, 'POST', 'audio/speech', { model: 'tts-1', input, voice: 'alloy' })
  expect(spoken.status).toBe(200)
  await spoken.bytes()
  const sum = await gateway.booked(1)
  expect(sum.usage['characters']).toBe(1000)
  // $15 a million.
  expect(sum.cost).toBe(15_000_000n)
})

test('images are booked by their tokens, and limited by their number', async () => {
  await using gateway = await startMetered(
    answer({ created: 1, data: [{ b64_json: 'AA==' }, { b64_json: 'AA==' }], usage: IMAGE_USAGE }),
  )
  const key = await gateway.key({ rate_limits: [{ model: '*', max_images_per_1_minute: 3 }] })
  const body = { model: 'gpt-image-1', prompt: 'x', n: 2 }
  expect((await send(gateway, key, 'POST', 'images/generations', body)).status).toBe(200)
  const refused = await send(gateway, key, 'POST', 'images/generations', body)
  expect(refused.status).toBe(429)
  const sum = await gateway.booked(1)
  expect(sum.usage['images']).toBe(2)
  // $5 a million of words, $40 a million of pictures.
  expect(sum.cost).toBe(333_300_000n)
})

test('embeddings are booked by their tokens', async () => {
  const usage = { prompt_tokens: 1_000_000, total_tokens: 1_000_000 }
  await using gateway = await startMetered(answer({ object: 'list', data: [], model: 'text-embedding-3-small', usage }))
  const key = await gateway.key()
  await (await send(gateway, key, 'POST', 'embeddings', { model: 'text-embedding-3-small', input: 'x' })).text()
  expect((await gateway.booked(1)).cost).toBe(20_000_000n)
})

test('a stream tells its usage to the books, and its caller sees the bytes that it would have seen', async () => {
  const event = (value: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4o', ...value })}\n\n`
  const words = event({ choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }], usage: null })
  const usage = event({ choices: [], usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 } })
  await using gateway = await startMetered(
    async (request, connection) => {
      const { stream_options: asked } = JSON.parse(new TextDecoder().decode(await request.body)) as {
        stream_options: unknown
      }
      connection.startChunked(200, SSE)
      connection.chunk(`${words + (asked === undefined ? '' : usage)}data: [DONE]\n\n`)
      connection.endChunks()
    },
    { settings: { openai: { include_usage: true } }, file: {} },
  )
  const key = await gateway.key()
  const text = await (await gateway.ask(key, { stream: true })).text()
  expect(text).not.toContain('prompt_tokens')
  expect(text).toEndWith('data: [DONE]\n\n')
  expect((await gateway.booked(1)).cost).toBe(3_500_000n)
})

test('a call whose process was killed is booked by what was seen, and leaves nothing held', async () => {
  const text = 'word '.repeat(400)
  const begin: Script = async (request, connection) => {
    await request.body
    connection.startChunked(200, SSE)
    const choices = [{ index: 0, delta: { content: text }, finish_reason: null }]
    connection.chunk(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4o', choices })}\n\n`,
    )
  }
  await using killed = await startMetered(begin, { command: gatewayCommand() })
  // Room for one call.
  const key = await killed.key({ spend_limit: { day: 17 } })
  const streaming = await killed.ask(key, { stream: true, max_tokens: 16_000 })
  await streaming.body?.getReader().read()
  killed.child?.kill('SIGKILL')
  await killed.child?.exited
  await using next = await startMetered(answerUsed(10, 5), { env: { LEDGER: killed.store } })
  const sum = await next.booked(1)
  expect(sum.cost).toBeGreaterThan(1_000_000n)
  expect(sum.cost).toBeLessThan(20_000_000n)
  // A second one has room: the rest is free again.
  expect((await next.ask(key, { max_tokens: 14_000 })).status).toBe(200)
})
