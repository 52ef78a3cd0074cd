import { expect, test } from 'bun:test'
import { LONG_PROMPT, OF_PROMPT } from '../helpers/long-prompt.ts'
import { answerUsed, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'

const TARGETS = [
  { upstream: 'openai', model: 'gpt-4o' },
  { upstream: 'openai', model: 'gpt-4o-mini' },
]
/** The recent calls that a hedge is measured by. */
const SAMPLES = 20
/** What 1,000 and 100 tokens cost at gpt-4o-mini, in nano-dollars. */
const OF_MINI = 210_000
const answerOfMini: Script = async (request, connection) => {
  await request.body
  const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
  connection.json({ id: 'chatcmpl-1', object: 'chat.completion', model: 'gpt-4o-mini', choices: [], usage })
}

/** Plays a script for each model. */
function byModel(scripts: Readonly<Record<string, Script>>): Script {
  return async (request, connection) => {
    const { model } = JSON.parse(new TextDecoder().decode(await request.body)) as { readonly model: string }
    await scripts[model]?.(request, connection)
  }
}

/** Says nothing until the gateway has gone. */
const stuck: Script = (_request, { closed }) => closed

test('of two calls side by side twice the most is held; the slower one’s prompt is in the row of the answer, at its own price', async () => {
  await using gateway = await startMetered(answerUsed(0, 1), {
    file: {
      models: { smart: { targets: TARGETS, strategy: 'order', hedge: { percentile: 95, min: 30, budget: 100 } } },
    },
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  for (let call = 0; call < SAMPLES; call += 1) await (await gateway.ask(key, { model: 'smart' })).text()
  const before = await gateway.booked(SAMPLES)
  const both = Promise.withResolvers<void>()
  gateway.upstreams.openai.play(
    byModel({
      'gpt-4o': stuck,
      'gpt-4o-mini': async (request, connection) => {
        await both.promise
        await answerOfMini(request, connection)
      },
    }),
  )
  const asking = gateway.ask(key, { ...LONG_PROMPT, model: 'smart', max_tokens: 10_000 })
  await gateway.upstreams.openai.request(SAMPLES + 2)
  // The output alone is a tenth of a dollar, twice.
  const { held } = await gateway.spend(key)
  expect(held).toBeGreaterThan(200_000_000n)
  both.resolve()
  expect((await asking).status).toBe(200)
  const sum = await gateway.booked(SAMPLES + 1)
  const cost = Number(sum.cost - before.cost)
  expect(sum.requests).toBe(SAMPLES + 1)
  expect(cost).toBeGreaterThanOrEqual(OF_PROMPT + OF_MINI)
  expect(cost).toBeLessThan(1.5 * OF_PROMPT)
  expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
})

test('a call that its caller leaves while two are under way costs the prompt of both, each at its own price', async () => {
  await using gateway = await startMetered(answerUsed(0, 1), {
    file: {
      models: { smart: { targets: TARGETS, strategy: 'order', hedge: { percentile: 95, min: 30, budget: 100 } } },
    },
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  for (let call = 0; call < SAMPLES; call += 1) await (await gateway.ask(key, { model: 'smart' })).text()
  const before = await gateway.booked(SAMPLES)
  gateway.upstreams.openai.play(stuck)
  const leaving = new AbortController()
  const asking = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...LONG_PROMPT, model: 'smart', stream: true }),
    signal: leaving.signal,
  })
  await gateway.upstreams.openai.request(SAMPLES + 2)
  leaving.abort()
  await asking.catch(() => undefined)
  const sum = await gateway.booked(SAMPLES + 1)
  expect(Number(sum.cost - before.cost) / (OF_PROMPT * 1.06)).toBeCloseTo(1, 2)
  expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
})

test('a call that a second model answers costs the prompt of the first one and what the second has used, each at its own price', async () => {
  await using gateway = await startMetered(byModel({ 'gpt-4o': stuck, 'gpt-4o-mini': answerOfMini }), {
    file: {
      models: { smart: { targets: TARGETS, strategy: 'order' } },
      retry: { attempts: 2, on: ['timeout'] },
      timeouts: { first_byte: '700ms' },
    },
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  expect((await gateway.ask(key, { ...LONG_PROMPT, model: 'smart', stream: true })).status).toBe(200)
  const sum = await gateway.booked(1)
  expect(sum.requests).toBe(1)
  expect(Number(sum.cost) / (OF_PROMPT + OF_MINI)).toBeCloseTo(1, 2)
  expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
})
