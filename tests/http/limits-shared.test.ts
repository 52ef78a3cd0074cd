import { expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { LIMITS_PREFIX } from '../../src/ledger/redis/redis-limit-scripts.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { startRedis } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'

/** A dollar cent and 25 millionths: nine of them fit into ten cents. */
const CALL = answerUsed(10, 1000)
const LIMIT = { spend_limit: { day: 10 } }
const CAP = { max_tokens: 1000 }

/** Starts two gateways on one ledger. */
async function startBoth(env: Record<string, string> = {}): Promise<readonly [MeteredGateway, MeteredGateway]> {
  const store = `sqlite:${join(mkdtempSync(join(tmpdir(), 'nexcode-shared-')), 'ledger.sqlite')}`
  const one = await startMetered(CALL, { env: { LEDGER: store, ...env } })
  return [one, await startMetered(CALL, { env: { LEDGER: store, ...env } })]
}

/** Makes a call, and makes it again while limits can't be decided: a machine with other work may take more than 20 ms. Gives its status. */
async function decided(gateway: MeteredGateway, key: string): Promise<number> {
  let status = 503
  await until(async () => {
    const answer = await gateway.ask(key, CAP)
    await answer.text()
    status = answer.status
    return status !== 503
  })
  return status
}

/** Asks both at once, again and again, and gives how many calls were answered with each status. */
async function race(both: readonly MeteredGateway[], key: string, count = 40): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  const calls = Array.from({ length: count }, async (_, index) => {
    const status = await decided(both[index % 2] as MeteredGateway, key)
    counts[status] = (counts[status] ?? 0) + 1
  })
  await Promise.all(calls)
  return counts
}

/** Resolves once a key is known to a gateway. */
async function known(gateway: MeteredGateway, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}` }
  await until(async () => (await fetch(`${gateway.url}/v1/organization/projects/me/api_keys/me`, { headers })).ok)
}

test('two gateways on one ledger let exactly those calls past that a budget has money for', async () => {
  const [one, other] = await startBoth()
  await using _one = one
  await using _other = other
  const key = await one.key(LIMIT)
  await known(other, key)
  expect(await race([one, other], key)).toEqual({ 200: 9, 429: 31 })
})

test('so do the workers of one gateway, also after all of them were killed and started anew', async () => {
  const options = { command: gatewayCommand(), env: { WORKERS: '2' } }
  await using gateway = await startMetered(CALL, options)
  const key = await gateway.key(LIMIT)
  // The cost of the whole race but for two calls.
  expect(await race([gateway, gateway], key, 7)).toEqual({ 200: 7 })
  await gateway.booked(7)
  gateway.child?.kill('SIGKILL')
  await gateway.child?.exited
  await using next = await startMetered(CALL, { ...options, env: { ...options.env, LEDGER: gateway.store } })
  await known(next, key)
  expect(await race([next, next], key)).toEqual({ 200: 2, 429: 38 })
})

test('so do two that decide in one Redis, each of whose calls is spent once', async () => {
  const redis = await startRedis()
  const [one, other] = await startBoth({ LIMITS: redis.url })
  await using _one = one
  await using _other = other
  const key = await one.key(LIMIT)
  await known(other, key)
  const client = new RedisClient(redis.url)
  // The first contact: what has begun anew waits for all nodes.
  await one.ask(await one.key(LIMIT))
  await client.del(`${LIMITS_PREFIX}:settling`)
  expect(await race([one, other], key)).toEqual({ 200: 9, 429: 31 })
  client.close()
  await redis.kill()
  const down = await one.ask(key, CAP)
  expect(down.status).toBe(503)
  expect((await errorOf(down)).code).toBe('limits_unavailable')
  await redis.restart()
  // It comes back empty, and knows from the books that nothing is left.
  expect(await decided(other, key)).toBe(429)
  await redis.kill()
})
