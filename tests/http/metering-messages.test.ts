import { expect, test } from 'bun:test'
import { startMetered } from '../helpers/metered-gateway.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { answerAsAnthropic } from '../helpers/scripted-anthropic.ts'

const CLAUDE = { settings: { openai: { preset: 'anthropic', api_key: 'sk-ant-of-the-server-0123456789' } } }

/** Sends a message with a key of the ledger, in the header that Anthropic's SDKs take. */
function send(
  { url }: { readonly url: string },
  key: string,
  more: object = {},
  path = '/v1/messages',
): Promise<Response> {
  const body = { model: 'claude-sonnet-4-5', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }], ...more }
  return fetch(url + path, {
    method: 'POST',
    headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

test('messages are booked to their key, whole and streamed: what a cache gave is input, at its own price', async () => {
  await using gateway = await startMetered(answerAsAnthropic, CLAUDE)
  const key = await gateway.key({ spend_limit: { month: 100 } })
  expect((await send(gateway, key)).status).toBe(200)
  const first = await gateway.booked(1)
  // $3, $0.30 and $15 a million: 12 read, 4 from the cache, 3 written.
  expect(first.cost).toBe(BigInt(12 * 3000 + 4 * 300 + 3 * 15_000))
  expect(first.usage).toMatchObject({ inputText: 12, inputCachedText: 4, outputText: 3 })
  const streamed = await (await send(gateway, key, { stream: true })).text()
  // Neither the request nor the answer is changed to find that out.
  expect(await lastBody(gateway.upstreams.openai)).toEndWith(',"stream":true}')
  expect(streamed).toContain('"usage":{"output_tokens":5}')
  expect((await gateway.booked(2)).cost - first.cost).toBe(BigInt(12 * 3000 + 4 * 300 + 5 * 15_000))
  expect(await (await send(gateway, key, {}, '/v1/messages/count_tokens')).json()).toEqual({ input_tokens: 7 })
  expect((await gateway.booked(2)).requests).toBe(2)
})

test('refusals are in Anthropic’s form, with the same headers: a spent budget is not tried again', async () => {
  await using gateway = await startMetered(answerAsAnthropic, CLAUDE)
  const poor = await gateway.key({ spend_limit: { day: 0.05 } })
  const refused = async (answer: Response) => {
    const { type, error } = (await answer.json()) as {
      readonly type: string
      readonly error: { readonly type: string }
    }
    return [answer.status, type, error.type, answer.headers.get('x-should-retry')]
  }
  // $0.0005: a few calls of some $0.0001.
  let last = await send(gateway, poor)
  for (let calls = 1; last.status === 200; calls += 1) {
    await last.text()
    await gateway.booked(calls)
    last = await send(gateway, poor)
  }
  expect(await refused(last)).toEqual([429, 'error', 'rate_limit_error', 'false'])
  const slow = await gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 1 }] })
  expect((await send(gateway, slow)).status).toBe(200)
  const limited = await send(gateway, slow)
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refused(limited)).toEqual([429, 'error', 'rate_limit_error', 'true'])
  const bound = await gateway.key({ model_permissions: { mode: 'allow_list', model_ids: ['claude-haiku*'] } })
  expect((await refused(await send(gateway, bound))).slice(0, 3)).toEqual([404, 'error', 'not_found_error'])
})
