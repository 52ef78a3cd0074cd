import { expect, test } from 'bun:test'
import { errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'

/** Answers a response that has used a thousand tokens and a hundred, whose ids are counted. */
function responses(): Script {
  let made = 0
  return async (request, connection) => {
    await request.body
    made += 1
    connection.json({
      id: `resp_${made}`,
      object: 'response',
      status: 'completed',
      model: 'gpt-4o-2024-08-06',
      output: [],
      usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
    })
  }
}

const respond = (gateway: MeteredGateway, key: string, more: object): Promise<Response> =>
  fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', input: 'go on', max_output_tokens: 100, ...more }),
  })

test('a response that goes on from one that came through here holds what that one has used, not 128,000 tokens', async () => {
  await using gateway = await startMetered(responses())
  // 128,000 tokens are 32 cents.
  const key = await gateway.key({ spend_limit: { day: 10 } })
  expect((await respond(gateway, key, {})).status).toBe(200)
  expect((await respond(gateway, key, { previous_response_id: 'resp_1' })).status).toBe(200)
  expect((await respond(gateway, key, { previous_response_id: 'resp_2' })).status).toBe(200)
  for (const more of [
    { previous_response_id: 'resp_of_nobody' },
    // Its images may be longer for another model.
    { previous_response_id: 'resp_1', model: 'gpt-4.1' },
    { previous_response_id: 'resp_1', prompt: { id: 'pmpt_1' } },
    { conversation: 'conv_1' },
  ]) {
    const refused = await respond(gateway, key, more)
    expect([more, refused.status, (await errorOf(refused)).code]).toEqual([more, 400, 'request_exceeds_limit'])
  }
})

test('what a rule puts into a request is part of what it can cost', async () => {
  const params = [{ match: { endpoint: 'responses' }, defaults: { instructions: 'many words and more '.repeat(2000) } }]
  await using gateway = await startMetered(responses(), { file: { params } })
  const key = await gateway.key({ spend_limit: { day: 1 } })
  const refused = await respond(gateway, key, {})
  expect([refused.status, (await errorOf(refused)).code]).toEqual([400, 'request_exceeds_limit'])
  expect((await respond(gateway, key, { instructions: 'Be brief.' })).status).toBe(200)
})
