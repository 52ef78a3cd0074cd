import { expect, test } from 'bun:test'
import OpenAI, { APIError } from 'openai'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'

/** A call of gpt-4o that costs 2 cents. */
const TWO_CENTS = answerUsed(0, 2000)
const PER_MINUTE = (count: number, more: object = {}): object => ({
  rate_limits: [{ model: '*', max_requests_per_1_minute: count, ...more }],
})

/** Makes a call, and gives its status, its error's code, and whether SDKs try it again. */
async function tell(gateway: MeteredGateway, key: string, body: object = {}): Promise<readonly unknown[]> {
  const answer = await gateway.ask(key, { max_tokens: 100, ...body })
  const again = answer.headers.get('x-should-retry')
  return answer.ok
    ? [answer.status, await answer.text().then(() => 'ok')]
    : [answer.status, (await errorOf(answer)).code, again]
}

/** Makes a call, and gives the requests of the minute that are left behind it. */
async function left(gateway: MeteredGateway, key: string): Promise<string | null> {
  const answer = await gateway.ask(key, { max_tokens: 1 })
  await answer.text()
  return answer.headers.get('x-ratelimit-remaining-requests')
}

test('a spent budget stays a refusal that nobody tries again, however often it is asked', async () => {
  await using gateway = await startMetered(TWO_CENTS)
  const key = await gateway.key({ spend_limit: { day: 2 }, ...PER_MINUTE(2) })
  expect(await tell(gateway, key)).toEqual([200, 'ok'])
  await gateway.booked(1)
  for (let asked = 0; asked < 6; asked += 1)
    expect(await tell(gateway, key)).toEqual([429, 'insufficient_quota', 'false'])
})

test('a spent budget goes before the requests, the day’s requests and the tokens that are used up, too', async () => {
  const limits = [
    PER_MINUTE(1),
    { rate_limits: [{ model: '*', max_requests_per_1_day: 1 }] },
    PER_MINUTE(9, { max_tokens_per_1_minute: 120 }),
  ]
  await using gateway = await startMetered(TWO_CENTS)
  for (const [index, limit] of limits.entries()) {
    const key = await gateway.key({ spend_limit: { day: 2 }, ...limit })
    expect(await tell(gateway, key)).toEqual([200, 'ok'])
    await gateway.booked(index + 1)
    expect(await tell(gateway, key)).toEqual([429, 'insufficient_quota', 'false'])
  }
})

test('a model that is free is told to wait, whatever is spent', async () => {
  const prices = { 'openai/free-one': { free: true } }
  await using gateway = await startMetered(TWO_CENTS, { file: { prices } })
  const key = await gateway.key({ spend_limit: { day: 2 }, ...PER_MINUTE(1) })
  expect(await tell(gateway, key)).toEqual([200, 'ok'])
  await gateway.booked(1)
  expect(await tell(gateway, key, { model: 'free-one' })).toEqual([200, 'ok'])
  expect(await tell(gateway, key, { model: 'free-one' })).toEqual([429, 'rate_limit_exceeded', 'true'])
})

test('a spend limit of nothing is spent', async () => {
  await using gateway = await startMetered(TWO_CENTS)
  const key = await gateway.key({ spend_limit: { month: 0 } })
  expect(await tell(gateway, key)).toEqual([429, 'insufficient_quota', 'false'])
  expect(await tell(gateway, key, { max_tokens: undefined })).toEqual([429, 'insufficient_quota', 'false'])
})

test('a call that another limit refuses has used up no request', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  const limits = {
    rate_limits: [
      { model: '*', max_requests_per_1_minute: 3, max_requests_per_1_day: 3, max_tokens_per_1_minute: 500 },
    ],
  }
  const key = await gateway.key({ spend_limit: { day: 1 }, ...limits })
  for (let asked = 0; asked < 3; asked += 1) {
    // Tokens that can never fit, money that can never fit, no price.
    expect(await tell(gateway, key, { max_tokens: 5000 })).toEqual([400, 'request_exceeds_limit', null])
    expect(await tell(gateway, key, { model: 'o1-pro', max_tokens: 400 })).toEqual([400, 'request_exceeds_limit', null])
    expect(await tell(gateway, key, { model: 'nobody-knows' })).toEqual([403, 'model_not_priced', null])
  }
  expect(await left(gateway, key)).toBe('2')
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})

test('tokens that are used up by now use up no request', async () => {
  await using gateway = await startMetered(answerUsed(0, 400))
  const key = await gateway.key(PER_MINUTE(3, { max_tokens_per_1_minute: 500 }))
  expect(await tell(gateway, key)).toEqual([200, 'ok'])
  for (let asked = 0; asked < 3; asked += 1)
    expect(await tell(gateway, key, { max_tokens: 400 })).toEqual([429, 'rate_limit_exceeded', 'true'])
  expect(await left(gateway, key)).toBe('1')
})

test('the official Node SDK sends a call against a spent budget once, and one that has to wait again', async () => {
  await using gateway = await startMetered(TWO_CENTS)
  let sent = 0
  const clientOf = (apiKey: string, maxRetries: number): OpenAI =>
    new OpenAI({
      apiKey,
      maxRetries,
      baseURL: `${gateway.url}/v1`,
      fetch: (...request) => {
        sent += 1
        return fetch(...request)
      },
    })
  const fail = async (client: OpenAI, model = 'gpt-4o', maxTokens = 100): Promise<APIError> => {
    sent = 0
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const error: unknown = await client.chat.completions
      .create({ model, messages, max_tokens: maxTokens })
      .catch((thrown: unknown) => thrown)
    if (!(error instanceof APIError)) throw new Error('The call did not fail.')
    return error
  }
  const spent = await gateway.key({ spend_limit: { day: 2 }, ...PER_MINUTE(1) })
  expect(await tell(gateway, spent)).toEqual([200, 'ok'])
  await gateway.booked(1)
  const quota = await fail(clientOf(spent, 3))
  expect([quota.status, quota.code, quota.type, sent]).toEqual([429, 'insufficient_quota', 'insufficient_quota', 1])
  expect(quota.headers?.get('retry-after')).toBeNull()
  expect((await fail(clientOf(spent, 3), 'nobody-knows')).status).toBe(403)
  expect(sent).toBe(1)
  const small = await gateway.key({ spend_limit: { day: 1 } })
  expect((await fail(clientOf(small, 3), 'gpt-4o', 10_000)).status).toBe(400)
  expect(sent).toBe(1)
  // 100 a second: it is tried again at once.
  const rates = await gateway.key(PER_MINUTE(6000, { max_tokens_per_1_minute: 200 }))
  expect(await tell(gateway, rates, { max_tokens: 150 })).toEqual([200, 'ok'])
  const waits = await fail(clientOf(rates, 0), 'gpt-4o', 150)
  expect([waits.status, waits.code, waits.headers?.get('x-should-retry')]).toEqual([429, 'rate_limit_exceeded', 'true'])
  expect(Number(waits.headers?.get('retry-after'))).toBeGreaterThan(0)
})

test('counts that are written as a text count as the number that a lenient server takes them for', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  // 1,000 tokens are a cent: 40 answers.
  const key = await gateway.key({ spend_limit: { day: 40 } })
  const tokens = await gateway.key({ rate_limits: [{ model: '*', max_tokens_per_1_minute: 40_000 }] })
  for (const body of [{ n: '50' }, { n: 5e1 }, { n: ' 50.0 ' }, { n: 1, max_tokens: '50_000' }, { best_of: '50' }]) {
    const usual = { n: 1, max_tokens: 1000 }
    for (const one of [key, tokens]) {
      // No more than 16,384 tokens are written for an answer, whatever it says.
      const isMoneyOnly = one === key && body.max_tokens !== undefined
      const expected = isMoneyOnly ? [200, 'ok'] : [400, 'request_exceeds_limit', null]
      expect([body, ...(await tell(gateway, one, { ...usual, ...body }))]).toEqual([body, ...expected])
    }
  }
  const refused = await gateway.ask(key, { n: ['many'] })
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: 'n', code: 'invalid_type' } }])
  expect((await gateway.ask(await gateway.key(), { n: '50' })).status).toBe(200)
})

test('the images that a form asks for are held', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  const key = await gateway.key({ rate_limits: [{ model: '*', max_images_per_1_minute: 5 }] })
  const edit = (n: string): Promise<Response> => {
    const form = new FormData()
    for (const [name, text] of Object.entries({ model: 'gpt-image-1', prompt: 'a cat', n })) form.set(name, text)
    form.set('image', new Blob(['png']), 'cat.png')
    const headers = { authorization: `Bearer ${key}` }
    return fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', headers, body: form })
  }
  expect((await edit('4')).status).toBe(200)
  expect((await edit('6')).status).toBe(400)
  const refused = await edit('few')
  expect([refused.status, (await errorOf(refused)).code]).toEqual([400, 'invalid_type'])
})
