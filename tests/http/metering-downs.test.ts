import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { LONG_PROMPT } from '../helpers/long-prompt.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { startRedis } from '../helpers/redis.ts'
import type { Arrival } from '../helpers/scripted-upstream.ts'
import { until } from '../helpers/until.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const LIMIT = { spend_limit: { day: 1000 } }
const OF_ANSWER = 3_500_000n
const BODY = { ...LONG_PROMPT, max_tokens: 10_000 }

/** Takes away where rows are written, as a broken disk would, or puts it back. */
function breakBooks(store: string, isBroken: boolean): void {
  using database = new Database(store.slice('sqlite:'.length))
  database.run(`ALTER TABLE ${isBroken ? 'bookings' : 'away'} RENAME TO ${isBroken ? 'away' : 'bookings'}`)
}

async function answer({ request, connection }: Arrival): Promise<void> {
  await answerUsed(1000, 100)(request, connection)
}

test('a call that ends while the books can’t be written is in them when they can', async () => {
  await using gateway = await startMetered(byHand)
  const keys = [await gateway.key(LIMIT), await gateway.key()]
  const asking = Promise.all(keys.map((key) => gateway.ask(key, BODY)))
  const arrivals = [await gateway.upstreams.openai.arrival(), await gateway.upstreams.openai.arrival()]
  breakBooks(gateway.store, true)
  await Promise.all(arrivals.map(answer))
  expect((await asking).map(({ status }) => status)).toEqual([200, 200])
  await gateway.line(({ msg }) => String(msg).startsWith('the ledger can not be written'))
  expect(await gateway.spend(keys[0] ?? '')).toEqual({ spent: OF_ANSWER, held: 0n })
  breakBooks(gateway.store, false)
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.cost]).toEqual([2, 2n * OF_ANSWER])
})

test('a call that has ended while the books could not be written is in them after a kill, too', async () => {
  await using gateway = await startMetered(byHand, { command: gatewayCommand() })
  const key = await gateway.key(LIMIT)
  const asking = gateway.ask(key, BODY)
  const arrival = await gateway.upstreams.openai.arrival()
  breakBooks(gateway.store, true)
  await answer(arrival)
  await (await asking).text()
  await gateway.line(({ msg }) => String(msg).startsWith('the ledger can not be written'))
  gateway.child?.kill('SIGKILL')
  await gateway.child?.exited
  breakBooks(gateway.store, false)
  await using next = await startMetered(byHand, { command: gatewayCommand(), env: { LEDGER: gateway.store } })
  expect((await next.booked(1)).cost).toBe(OF_ANSWER)
  expect(await next.spend(key)).toEqual({ spent: OF_ANSWER, held: 0n })
})

test('a call that ends while the Redis of its limits is away is booked, and spent once when that is back', async () => {
  const redis = await startRedis()
  await using gateway = await startMetered(byHand, { env: { LIMITS: redis.url } })
  const key = await gateway.key(LIMIT)
  let asking = gateway.ask(key, BODY)
  // The first contact: what has begun anew waits for all nodes.
  await until(async () => {
    if (gateway.upstreams.openai.requests.length > 0) return true
    if ((await Promise.race([asking, Bun.sleep(100)]))?.status === 503) asking = gateway.ask(key, BODY)
    return false
  })
  const arrival = await gateway.upstreams.openai.arrival()
  await redis.kill()
  await answer(arrival)
  expect((await asking).status).toBe(200)
  expect((await gateway.booked(1)).cost).toBe(OF_ANSWER)
  await redis.restart()
  await until(async () => (await spend(gateway, key)) !== undefined)
  expect(await gateway.spend(key)).toEqual({ spent: OF_ANSWER, held: 0n })
  await redis.kill()
})

/** undefined: it can't be told now. */
async function spend(gateway: MeteredGateway, key: string) {
  return gateway.spend(key).catch(() => undefined)
}

test('a price list that comes, and a key that goes, while a call is under way change nothing of what it costs', async () => {
  await using gateway = await startMetered(byHand, { command: gatewayCommand(), file: {} })
  const project = await gateway.project()
  const key = await gateway.key(LIMIT, project)
  const asking = gateway.ask(key, BODY)
  const arrival = await gateway.upstreams.openai.arrival()
  const path = gateway.file?.path ?? ''
  const prices = { 'gpt-4o': { input: 1000, output: 1000 } }
  gateway.file?.write(JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), prices }))
  await gateway.line(({ msg }) => String(msg).startsWith('configuration reloaded'))
  const accounts = await gateway.admin('GET', `/projects/${project}/service_accounts`)
  for (const { id } of accounts['data'] as readonly { readonly id: string }[])
    await gateway.admin('DELETE', `/projects/${project}/service_accounts/${id}`)
  await until(async () => (await gateway.ask(key)).status === 401)
  await answer(arrival)
  expect((await asking).status).toBe(200)
  expect((await gateway.booked(1)).cost).toBe(OF_ANSWER)
})
