import { expect, test } from 'bun:test'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'

/** A call of gpt-4o that costs half a cent. */
const HALF_CENT = answerUsed(0, 500)

/** Makes calls without a cap one after the other, and counts how they are answered. */
async function ask(gateway: MeteredGateway, key: string, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let asked = 0; asked < times; asked += 1) {
    const answer = await gateway.ask(key)
    const what = answer.ok ? await answer.text().then(() => 'ok') : `${answer.status} ${(await errorOf(answer)).code}`
    counts[what] = (counts[what] ?? 0) + 1
  }
  return counts
}

test.each([
  ['gpt-4o-mini', 10],
  ['gpt-4o', 10],
  ['gpt-5', 10],
  ['o3', 10],
  // The sum in the examples of OpenAI's own SDK.
  ['gpt-4o', 1],
])('the first call of %s without max_tokens is let past on a budget of %d cents a day', async (model, cents) => {
  await using gateway = await startMetered(HALF_CENT)
  const key = await gateway.key({ spend_limit: { day: cents } })
  const answer = await gateway.ask(key, { model })
  expect([answer.status, await answer.text()]).toMatchObject([200, expect.stringContaining('hello')])
})

test('such calls go on until what they usually cost is not left, and are told to stop then', async () => {
  await using gateway = await startMetered(HALF_CENT)
  const key = await gateway.key({ spend_limit: { day: 10 } })
  const counts = await ask(gateway, key, 25)
  // Twenty would be all of it; there has to be room for one that is twice as long, and for its prompt.
  expect(counts['ok'] ?? 0).toBeGreaterThanOrEqual(17)
  expect(counts['ok'] ?? 0).toBeLessThanOrEqual(20)
  expect(Object.keys(counts).toSorted()).toEqual(['429 insufficient_quota', 'ok'])
  const refused = await gateway.ask(key)
  expect(refused.headers.get('x-should-retry')).toBe('false')
  expect((await errorOf(refused)).message).toMatch(
    /sets no limit on its answer, and is expected to cost up to \$0\.01\d+, which is more than is left/,
  )
})

const LEARNED = { file: { ledger: { uncapped_calls: 'learned' } } }

/** Answers as `HALF_CENT`, one of the calls only when it is let go. */
function holdingBack(which: number): { readonly script: Script; readonly letGo: () => void } {
  const held = Promise.withResolvers<void>()
  let calls = 0
  return {
    letGo: held.resolve,
    async script(request, connection) {
      calls += 1
      if (calls === which) await held.promise
      await HALF_CENT(request, connection)
    },
  }
}

test('one holds all that is left: another is told to try again, or to set a cap, and fits afterwards', async () => {
  const { script, letGo } = holdingBack(1)
  await using gateway = await startMetered(script)
  const key = await gateway.key({ spend_limit: { day: 10 } })
  const first = gateway.ask(key)
  await gateway.upstreams.openai.arrival()
  expect(await ask(gateway, key, 1)).toEqual({ '429 rate_limit_exceeded': 1 })
  letGo()
  expect((await first).status).toBe(200)
  expect(await ask(gateway, key, 3)).toEqual({ ok: 3 })
})

test('uncapped_calls: learned holds what calls like it have written, so that several are under way at once', async () => {
  const { script, letGo } = holdingBack(2)
  await using gateway = await startMetered(script, LEARNED)
  const key = await gateway.key({ spend_limit: { day: 10 } })
  expect(await ask(gateway, key, 1)).toEqual({ ok: 1 })
  const under = gateway.ask(key)
  await gateway.upstreams.openai.request(2)
  expect(await ask(gateway, key, 3)).toEqual({ ok: 3 })
  letGo()
  expect((await under).status).toBe(200)
})

test.each(['alone', 'learned'])(
  'a race of calls without a cap, of random costs, overspends nothing (%s)',
  async (mode) => {
    let seed = 7
    const random = (most: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return 1 + (seed % most)
    }
    await using gateway = await startMetered(
      (request, connection) => answerUsed(0, random(1000))(request, connection),
      {
        file: { ledger: { uncapped_calls: mode } },
      },
    )
    const key = await gateway.key({ spend_limit: { day: 50 } })
    let spent = false
    const caller = async (): Promise<void> => {
      while (!spent) {
        const answer = await gateway.ask(key)
        if (answer.ok) await answer.text()
        else if ((await errorOf(answer)).code === 'insufficient_quota') spent = true
      }
    }
    await Promise.all(Array.from({ length: 16 }, caller))
    const { cost } = await gateway.booked(gateway.upstreams.openai.requests.length)
    expect(cost <= 500_000_000n).toBeTrue()
    // What is left is less than twice what such a call costs at most.
    expect(cost > 475_000_000n).toBeTrue()
  },
)

test('uncapped_calls: whole holds all that the model can write, as a call with that cap', async () => {
  await using gateway = await startMetered(HALF_CENT, { file: { ledger: { uncapped_calls: 'whole' } } })
  const key = await gateway.key({ spend_limit: { day: 10 } })
  expect(await ask(gateway, key, 1)).toEqual({ '400 request_exceeds_limit': 1 })
  expect((await gateway.ask(key, { max_tokens: 1000 })).status).toBe(200)
})

test('a call with a cap holds all of it, whatever is learned', async () => {
  await using gateway = await startMetered(HALF_CENT)
  const key = await gateway.key({ spend_limit: { day: 10 } })
  expect(await ask(gateway, key, 10)).toEqual({ ok: 10 })
  const refused = await gateway.ask(key, { max_tokens: 6000 })
  expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'insufficient_quota'])
  expect((await gateway.ask(key, { max_tokens: 15_000 })).status).toBe(400)
})

test('a prompt that costs more than the whole limit is a 400, with a cap or without', async () => {
  await using gateway = await startMetered(HALF_CENT)
  const key = await gateway.key({ spend_limit: { day: 1 } })
  const messages = [{ role: 'user', content: 'words and words '.repeat(2000) }]
  for (const more of [{}, { max_tokens: 1 }]) {
    const refused = await gateway.ask(key, { messages, ...more })
    expect([refused.status, (await errorOf(refused)).code]).toEqual([400, 'request_exceeds_limit'])
  }
})

test('of many long answers behind short ones at the end of a budget, no more than one overspends', async () => {
  let written = 100
  const held = Promise.withResolvers<void>()
  await using gateway = await startMetered(async (request, connection) => {
    if (written > 100) await held.promise
    await answerUsed(0, written)(request, connection)
  })
  const key = await gateway.key({ spend_limit: { day: 10 } })
  expect(await ask(gateway, key, 10)).toEqual({ ok: 10 })
  // 16 cents each, where 9 are left.
  written = 16_000
  const calls = Array.from({ length: 20 }, () => gateway.ask(key))
  await gateway.upstreams.openai.request(11)
  const refused = await Promise.all(calls.slice(1))
  expect(refused.map(({ status }) => status)).toEqual(Array<number>(19).fill(429))
  held.resolve()
  expect((await calls[0])?.status).toBe(200)
  expect(gateway.upstreams.openai.requests).toHaveLength(11)
})
