import { expect, test } from 'bun:test'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { until } from '../helpers/until.ts'
import { SSE } from '../helpers/upstream-scripts.ts'

const MILLION = { input_tokens: 1_000_000, output_tokens: 0, total_tokens: 1_000_000 }
/** Half of $2.50: the price of batches. */
const MILLION_COST = 1_250_000_000n
const BATCH = { id: 'batch_1', object: 'batch', model: 'gpt-4o', status: 'validating', usage: null }
const DONE = { ...BATCH, status: 'completed', usage: MILLION }

function send(gateway: MeteredGateway, key: string, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const answer =
  (value: unknown): Script =>
  async (request, connection) => {
    await request.body
    connection.json(value)
  }

/** What is booked to each project, once there are so many rows in all. */
async function costByProject(gateway: MeteredGateway, count: number): Promise<ReadonlyMap<string, bigint>> {
  const ledger = await openLedger(gateway.store)
  try {
    const costs = new Map<string, bigint>()
    await until(async () => {
      const to = Math.ceil(Date.now() / 86_400_000) * 86_400
      const question = { from: to - 86_400, to, bucketSeconds: 86_400, where: {}, groupBy: ['project'] } as const
      const { sums } = await ledger.usage(question)
      for (const { group, cost } of sums) costs.set(group.project ?? '', cost)
      return sums.reduce((sum, { requests }) => sum + requests, 0) >= count
    })
    return costs
  } finally {
    await ledger.close()
  }
}

/** Two projects, a key of the first, which makes things, and one of the second, which fetches them. */
async function makerAndFetcher(gateway: MeteredGateway) {
  const [makes, fetches] = [await gateway.project({ name: 'makes' }), await gateway.project({ name: 'fetches' })]
  return { makes, fetches, maker: await gateway.key({}, makes), fetcher: await gateway.key({}, fetches) }
}

/** One more call, whose row shows that all before it are in the books. */
async function lastCall(gateway: MeteredGateway, key: string): Promise<void> {
  gateway.upstreams.openai.play(answerUsed(10, 5))
  await (await gateway.ask(key)).text()
}

test('a batch is paid by the key that made it, whoever fetches it first', async () => {
  await using gateway = await startMetered(answer(BATCH))
  const { makes, fetches, maker, fetcher } = await makerAndFetcher(gateway)
  await (await send(gateway, maker, 'POST', 'batches', { input_file_id: 'file-1' })).text()
  gateway.upstreams.openai.play(answer(DONE))
  for (const key of [fetcher, maker, fetcher]) await (await send(gateway, key, 'GET', 'batches/batch_1')).text()
  await lastCall(gateway, fetcher)
  const costs = await costByProject(gateway, 2)
  expect(costs.get(makes)).toBe(MILLION_COST)
  expect(costs.get(fetches)).toBeLessThan(1_000_000n)
})

test('its maker is known after a restart, and a process that fetches it again books nothing more', async () => {
  const first = await startMetered(answer(BATCH), { command: gatewayCommand() })
  const { makes, maker, fetcher } = await makerAndFetcher(first)
  await (await send(first, maker, 'POST', 'batches', { input_file_id: 'file-1' })).text()
  const ledger = await openLedger(first.store)
  await until(async () => (await ledger.objects('', 1)).length === 1)
  await ledger.close()
  first.child?.kill('SIGKILL')
  await first.child?.exited
  await using second = await startMetered(answer(DONE), { env: { LEDGER: first.store } })
  await (await send(second, fetcher, 'GET', 'batches/batch_1')).text()
  expect((await costByProject(second, 1)).get(makes)).toBe(MILLION_COST)
  await using third = await startMetered(answer(DONE), { env: { LEDGER: first.store } })
  await (await send(third, fetcher, 'GET', 'batches/batch_1')).text()
  await lastCall(third, fetcher)
  expect((await costByProject(third, 2)).get(makes)).toBe(MILLION_COST)
  await first.stop()
})

test('a list of batches books those that were made here, and a cancelled batch what was done of it', async () => {
  await using gateway = await startMetered(answer(BATCH))
  const { makes, fetches, maker, fetcher } = await makerAndFetcher(gateway)
  await (await send(gateway, maker, 'POST', 'batches', { input_file_id: 'file-1' })).text()
  gateway.upstreams.openai.play(answer({ ...BATCH, id: 'batch_2' }))
  await (await send(gateway, maker, 'POST', 'batches', { input_file_id: 'file-2' })).text()
  const others = [
    { ...DONE, id: 'batch_of_others' },
    { ...BATCH, id: 'batch_2' },
  ]
  gateway.upstreams.openai.play(answer({ object: 'list', data: [DONE, ...others], has_more: false }))
  for (let time = 0; time < 2; time += 1) await (await send(gateway, fetcher, 'GET', 'batches?limit=20')).text()
  gateway.upstreams.openai.play(answer({ ...DONE, id: 'batch_2', status: 'cancelled' }))
  await (await send(gateway, fetcher, 'POST', 'batches/batch_2/cancel')).text()
  await lastCall(gateway, fetcher)
  const costs = await costByProject(gateway, 3)
  expect(costs.get(makes)).toBe(2n * MILLION_COST)
  expect(costs.get(fetches)).toBeLessThan(1_000_000n)
})

test('a batch that was made elsewhere is booked to who fetches it, also right after it was listed', async () => {
  await using gateway = await startMetered(answer({ object: 'list', data: [DONE], has_more: false }))
  const key = await gateway.key()
  await (await send(gateway, key, 'GET', 'batches')).text()
  gateway.upstreams.openai.play(answer(DONE))
  await (await send(gateway, key, 'GET', 'batches/batch_1')).text()
  expect((await gateway.booked(1)).cost).toBe(MILLION_COST)
})

test('a batch that tells no usage is booked by the lines of its output file, each at its own price, and once', async () => {
  const over = {
    ...BATCH,
    status: 'completed',
    usage: undefined,
    output_file_id: 'file-out',
    error_file_id: 'file-err',
  }
  const line = (model: string, prompt_tokens: number): string =>
    `${JSON.stringify({
      id: 'batch_req_1',
      custom_id: 'request-1',
      response: {
        status_code: 200,
        body: { object: 'chat.completion', model, choices: [], usage: { prompt_tokens, completion_tokens: 0 } },
      },
      error: null,
    })}\n`
  const failed = `${JSON.stringify({ custom_id: 'x', response: null, error: { code: 'batch_expired' } })}\n`
  const text = line('gpt-4o-2024-08-06', 1_000_000) + failed + line('gpt-4o-mini', 1_000_000).repeat(3)
  await using gateway = await startMetered(answer(BATCH))
  const { makes, fetches, maker, fetcher } = await makerAndFetcher(gateway)
  await (await send(gateway, maker, 'POST', 'batches', { input_file_id: 'file-1' })).text()
  gateway.upstreams.openai.play(answer(over))
  await (await send(gateway, fetcher, 'GET', 'batches/batch_1')).text()
  gateway.upstreams.openai.play(async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'application/octet-stream' })
    for (let at = 0; at < text.length; at += 100) connection.chunk(text.slice(at, at + 100))
    connection.endChunks()
  })
  for (let time = 0; time < 2; time += 1) {
    const file = await send(gateway, fetcher, 'GET', 'files/file-out/content')
    expect(await file.text()).toBe(text)
  }
  await lastCall(gateway, fetcher)
  const costs = await costByProject(gateway, 2)
  // $1.25, and three times $0.075.
  expect(costs.get(makes)).toBe(MILLION_COST + 3n * 75_000_000n)
  expect(costs.get(fetches)).toBeLessThan(1_000_000n)
})

test('a response in the background is paid by its maker, also where its stream is fetched, by another key', async () => {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-4o', background: true, output: [] }
  const usage = { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 }
  await using gateway = await startMetered(answer({ ...response, status: 'queued', usage: null }))
  const { makes, fetches, maker, fetcher } = await makerAndFetcher(gateway)
  await (await send(gateway, maker, 'POST', 'responses', { model: 'gpt-4o', input: 'x', background: true })).text()
  gateway.upstreams.openai.play(async (request, connection) => {
    await request.body
    const event = (type: string, parts: object): string =>
      `event: ${type}\ndata: ${JSON.stringify({ type, response: { ...response, ...parts } })}\n\n`
    connection.startChunked(200, SSE)
    connection.chunk(event('response.created', { status: 'in_progress', usage: null }))
    connection.chunk(event('response.completed', { status: 'completed', usage }))
    connection.endChunks()
  })
  for (let time = 0; time < 2; time += 1)
    await (await send(gateway, fetcher, 'GET', 'responses/resp_1?stream=true&starting_after=3')).text()
  await lastCall(gateway, fetcher)
  const costs = await costByProject(gateway, 2)
  expect(costs.get(makes)).toBe(3_500_000n)
  expect(costs.get(fetches)).toBeLessThan(1_000_000n)
})

test('the money of a response in the background is held until it is fetched, and then spent', async () => {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-4o', background: true, output: [] }
  const usage = { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 }
  await using gateway = await startMetered(answer({ ...response, status: 'queued', usage: null }))
  // Room for one of them: 1,000 tokens are one cent.
  const key = await gateway.key({ spend_limit: { day: 1.5 } })
  const call = { model: 'gpt-4o', input: 'x', background: true, max_output_tokens: 1000 }
  expect((await send(gateway, key, 'POST', 'responses', call)).status).toBe(200)
  expect((await gateway.spend(key)).held).toBeGreaterThan(10_000_000n)
  const refused = await send(gateway, key, 'POST', 'responses', call)
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([429, 'true'])
  gateway.upstreams.openai.play(answer({ ...response, status: 'completed', usage }))
  await (await send(gateway, key, 'GET', 'responses/resp_1')).text()
  await until(async () => (await gateway.spend(key)).held === 0n)
  expect((await gateway.spend(key)).spent).toBe(3_500_000n)
  expect((await gateway.booked(1)).cost).toBe(3_500_000n)
})

test('a batch of many short calls is not priced as one long one', async () => {
  const usage = { input_tokens: 1_000_000, output_tokens: 0, total_tokens: 1_000_000 }
  const batch = { ...BATCH, model: 'gpt-5.4', status: 'completed', usage }
  await using gateway = await startMetered(
    answer({ ...batch, request_counts: { total: 1000, completed: 1000, failed: 0 } }),
  )
  const key = await gateway.key()
  await (await send(gateway, key, 'GET', 'batches/batch_1')).text()
  const { cost } = await gateway.booked(1)
  gateway.upstreams.openai.play(
    answer({ ...batch, id: 'batch_2', request_counts: { total: 1, completed: 1, failed: 0 } }),
  )
  await (await send(gateway, key, 'GET', 'batches/batch_2')).text()
  expect((await gateway.booked(2)).cost).toBe(3n * cost)
})
