import { expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { LIMITS_PREFIX } from '../../src/ledger/redis/redis-limit-scripts.ts'
import { freePort } from '../helpers/free-port.ts'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { startRedis } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'

/** A call of gpt-4o that costs half a cent. */
const HALF_CENT = answerUsed(0, 500)
const NOW = (more: object): object => ({ rate_limits: [{ model: '*', ...more }] })

/** Makes a call, and gives its status, and its error's code where it is one. */
async function tell(gateway: MeteredGateway, key: string, body: object = { max_tokens: 500 }): Promise<string> {
  const answer = await gateway.ask(key, { ...body })
  if (answer.ok) return answer.text().then(() => 'ok')
  return `${answer.status} ${(await errorOf(answer)).code}`
}

/** Makes calls one after the other, and counts how they are answered. */
async function count(gateway: MeteredGateway, key: string, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let asked = 0; asked < times; asked += 1) {
    const said = await tell(gateway, key)
    counts[said] = (counts[said] ?? 0) + 1
  }
  return counts
}

async function limitsInReady(gateway: MeteredGateway): Promise<unknown> {
  const answer = await fetch(`${gateway.url}/ready`, { headers: { authorization: 'Bearer token-of-the-tests' } })
  return [answer.status, ((await answer.json()) as { readonly ledger?: { readonly limits: unknown } }).ledger?.limits]
}

test('while limits can’t be decided limited calls are 503, and those without limits go on; /ready says so and stays 200', async () => {
  const LIMITS = `redis://127.0.0.1:${await freePort()}`
  await using gateway = await startMetered(HALF_CENT, { env: { LIMITS } })
  const limits = [{ spend_limit: { day: 100 } }, NOW({ max_requests_per_1_minute: 5 }), { concurrency: 3 }]
  for (const limit of limits) {
    const refused = await gateway.ask(await gateway.key(limit), { max_tokens: 1 })
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { error: { type: 'server_error', code: 'limits_unavailable' } },
    ])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('x-should-retry')).not.toBe('false')
  }
  expect(await tell(gateway, await gateway.key())).toBe('ok')
  expect(await limitsInReady(gateway)).toEqual([200, { down: expect.stringContaining('Redis') }])
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})

test('on_ledger_down: allow lets a tenth of each limit past, and the log says so once', async () => {
  const LIMITS = `redis://127.0.0.1:${await freePort()}`
  const file = { ledger: { on_ledger_down: 'allow' } }
  await using gateway = await startMetered(HALF_CENT, { env: { LIMITS }, file })
  const rates = await gateway.key(NOW({ max_requests_per_1_minute: 40 }))
  expect(await count(gateway, rates, 8)).toEqual({ ok: 4, '503 limits_unavailable': 4 })
  // Two cents of twenty: their prompts are held, too.
  const money = await gateway.key({ spend_limit: { day: 20 } })
  const counts = await count(gateway, money, 8)
  expect(counts['ok'] ?? 0).toBeGreaterThanOrEqual(3)
  expect(counts['ok'] ?? 0).toBeLessThanOrEqual(4)
  expect(counts['503 limits_unavailable']).toBe(8 - (counts['ok'] ?? 0))
  expect(await limitsInReady(gateway)).toEqual([200, { down: expect.stringContaining('Redis') }])
  const isTold = ({ msg }: { readonly msg?: unknown }): boolean => String(msg).startsWith('limits can not be decided')
  await gateway.line(isTold)
  expect(gateway.lines.filter(isTold)).toHaveLength(1)
})

test('what is decided in Redis is refused as what is decided here: spent goes before the rates, and takes none of them', async () => {
  const redis = await startRedis()
  await using gateway = await startMetered(HALF_CENT, { env: { LIMITS: redis.url } })
  const decided = async (key: string, body?: object): Promise<string> => {
    let said = ''
    await until(async () => {
      said = await tell(gateway, key, body)
      return said !== '503 limits_unavailable'
    })
    return said
  }
  // The first contact: what has begun anew waits for all nodes.
  await tell(gateway, await gateway.key({ spend_limit: { day: 1 } }))
  const client = new RedisClient(redis.url)
  await client.del(`${LIMITS_PREFIX}:settling`)
  client.close()
  const spent = await gateway.key({ spend_limit: { day: 1 }, ...NOW({ max_requests_per_1_minute: 2 }) })
  expect([await decided(spent), await decided(spent, { max_tokens: 1 })]).toEqual(['ok', 'ok'])
  for (let asked = 0; asked < 3; asked += 1) expect(await decided(spent)).toBe('429 insufficient_quota')
  const small = await gateway.key({ spend_limit: { day: 5 }, ...NOW({ max_requests_per_1_minute: 2 }) })
  for (let asked = 0; asked < 3; asked += 1)
    expect(await decided(small, { max_tokens: 16_000 })).toBe('400 request_exceeds_limit')
  // Without a cap it takes what is left.
  expect(await decided(small, {})).toBe('ok')
  await redis.kill()
})
