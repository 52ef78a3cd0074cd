import { describe, expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { answerUsed, errorOf, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { until } from '../helpers/until.ts'

/** Answers a chat completion with this usage, and more. */
function answerWith(usage: object, more: object = {}): Script {
  return async (request, connection) => {
    await request.body
    connection.json({ id: 'c', object: 'chat.completion', choices: [], ...more, usage })
  }
}

const USED = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }

test('a tool that draws images, which have no price, is closed to a budget, and no other tool is', async () => {
  await using gateway = await startMetered(answerWith({ input_tokens: 9, output_tokens: 9, total_tokens: 18 }))
  const draw = { type: 'image_generation', model: 'gpt-image-1' }
  const respond = (key: string, tools: readonly object[]): Promise<Response> =>
    fetch(`${gateway.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', input: 'image_generation', max_output_tokens: 16, tools }),
    })
  const limited = await gateway.key({ spend_limit: { month: 1000 } })
  const refused = await respond(limited, [draw])
  const { code, message } = await errorOf(refused)
  expect([refused.status, code]).toEqual([403, 'model_not_priced'])
  expect(message).toStartWith('What the tool `image_generation` draws has no price at openai')
  expect((await respond(limited, [{ type: 'function', name: 'image_generation', parameters: {} }])).status).toBe(200)
  expect((await respond(await gateway.key(), [draw])).status).toBe(200)
})

describe('a call is priced', () => {
  test('by what the file says of its model, before the table', async () => {
    const file = { prices: { 'gpt-4o': { input: 1, output: 2 }, 'openai/own-*': { input: 3, output: 0 } } }
    await using gateway = await startMetered(answerWith(USED, { model: 'gpt-4o-2024-08-06' }), { file })
    const key = await gateway.key({ spend_limit: { month: 1000 } })
    await (await gateway.ask(key, { max_tokens: 100 })).text()
    await (await gateway.ask(key, { model: 'own-chat', max_tokens: 100 })).text()
    const sums = await gateway.bookedByModel(2)
    expect(sums.get('gpt-4o')?.cost).toBe(1_200_000n)
    expect(sums.get('own-chat')?.cost).toBe(3_000_000n)
  })

  test('as nothing, where the file says that it is free, also with a budget', async () => {
    await using gateway = await startMetered(answerUsed(1000, 100), {
      file: { prices: { 'openai/*': { free: true } } },
    })
    const key = await gateway.key({ spend_limit: { month: 1 } })
    expect((await gateway.ask(key, { model: 'mine' })).status).toBe(200)
    expect((await gateway.booked(1)).cost).toBe(0n)
  })

  test('by the answer’s own cost, before all lists', async () => {
    const file = { prices: { 'gpt-4o': { input: 1, output: 2 } } }
    await using gateway = await startMetered(answerWith({ ...USED, cost: 0.0123 }, { model: 'gpt-4o' }), { file })
    await (await gateway.ask(await gateway.key())).text()
    expect((await gateway.booked(1)).cost).toBe(12_300_000n)
  })

  test('by the tier that has served it, not by the one that was asked for', async () => {
    await using gateway = await startMetered(answerWith(USED, { model: 'gpt-5', service_tier: 'flex' }))
    const key = await gateway.key()
    await (await gateway.ask(key, { model: 'gpt-5', service_tier: 'priority' })).text()
    // Flex: $0.625 and $5 for a million.
    expect((await gateway.booked(1)).cost).toBe(1_125_000n)
  })

  test('by what its model costs that the answer names', async () => {
    await using gateway = await startMetered(answerWith(USED, { model: 'gpt-4o-2024-05-13' }))
    await (await gateway.ask(await gateway.key())).text()
    // $5 and $15 for a million; gpt-4o of today: $2.50 and $10.
    expect((await gateway.booked(1)).cost).toBe(6_500_000n)
  })

  test('by what the file says that it is the same as', async () => {
    const file = { prices: { 'prod-chat': { same_as: 'gpt-4o-mini' } } }
    await using gateway = await startMetered(answerWith(USED, { model: 'prod-chat' }), { file })
    const key = await gateway.key({ spend_limit: { month: 1000 } })
    await (await gateway.ask(key, { model: 'prod-chat', max_tokens: 100 })).text()
    expect((await gateway.booked(1)).cost).toBe(210_000n)
  })
})

test('without a price a call is made where no money is limited, and is a 403 where it is', async () => {
  await using gateway = await startMetered(answerWith(USED, { model: 'unheard-of' }))
  const key = await gateway.key()
  expect((await gateway.ask(key, { model: 'unheard-of' })).status).toBe(200)
  const refused = await gateway.ask(await gateway.key({ spend_limit: { day: 100 } }), { model: 'unheard-of' })
  expect(refused.status).toBe(403)
  expect((await errorOf(refused)).code).toBe('model_not_priced')
})

test('what the file says that a model writes at most bounds what is held of a budget', async () => {
  const prices = { 'gpt-4o': { input: 2.5, output: 10, output_tokens_max: 200 } }
  await using gateway = await startMetered(answerUsed(10, 10), { file: { prices } })
  // One cent: without the bound a call may cost sixteen.
  const key = await gateway.key({ spend_limit: { day: 1 } })
  expect((await gateway.ask(key)).status).toBe(200)
})

test('a limit that a rule puts in bounds what is held of a budget', async () => {
  const params = [{ defaults: { max_completion_tokens: 200 } }]
  await using gateway = await startMetered(answerUsed(10, 10), { file: { params } })
  const key = await gateway.key({ spend_limit: { day: 1 } })
  expect((await gateway.ask(key)).status).toBe(200)
})

test('a limit that a rule makes higher is what is held of a budget, not the caller’s own', async () => {
  const params = [{ overrides: { max_tokens: 10_000 } }]
  await using gateway = await startMetered(answerUsed(10, 10), { file: { params } })
  const key = await gateway.key({ spend_limit: { day: 1 } })
  const refused = await gateway.ask(key, { max_tokens: 10 })
  expect([refused.status, (await errorOf(refused)).code]).toEqual([400, 'request_exceeds_limit'])
})

test('after a reload the file’s new prices are in force: a model that had none is let in', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100), { command: gatewayCommand() })
  const key = await gateway.key({ spend_limit: { day: 100 } })
  expect((await gateway.ask(key, { model: 'unheard-of' })).status).toBe(403)
  const upstreams = { openai: { base_url: `${gateway.upstreams.openai.url}/v1`, api_key: 'sk-server' } }
  const prices = { 'unheard-of': { input: 1, output: 1 } }
  gateway.file?.write(JSON.stringify({ upstreams, prices }))
  await until(async () => (await gateway.ask(key, { model: 'unheard-of', max_tokens: 9 })).status === 200)
  expect((await gateway.booked(1)).cost).toBe(1_100_000n)
})

test('a picture of a call whose answer tells nothing is one, and no text of a million letters', async () => {
  await using gateway = await startMetered(async (request, connection) => {
    await request.body
    connection.json({ id: 'chatcmpl-1', object: 'chat.completion', model: 'gpt-4o', choices: [] })
  })
  const key = await gateway.key()
  const url = `data:image/png;base64,${Buffer.alloc(750_000, 'a picture').toString('base64')}`
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url } },
  ]
  expect((await gateway.ask(key, { messages: [{ role: 'user', content }] })).status).toBe(200)
  const { usage } = await gateway.booked(1)
  const read = Number(usage['inputText'] ?? 0) + Number(usage['inputImage'] ?? 0)
  expect([read > 1000, read < 3000]).toEqual([true, true])
})
