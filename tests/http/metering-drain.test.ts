import { expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { beginStream, endOf, LONG_PROMPT, OF_PROMPT, OF_WORDS } from '../helpers/long-prompt.ts'
import { type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'

/** Starts the program in a process of its own. */
function start(env: Readonly<Record<string, string>> = {}): Promise<MeteredGateway> {
  return startMetered(beginStream, { command: gatewayCommand(), env })
}

/** Begins a stream, and gives the function that reads it to its end. */
async function begin(gateway: MeteredGateway, key: string): Promise<() => Promise<void>> {
  const answer = await gateway.ask(key, { ...LONG_PROMPT, stream: true, max_tokens: 10_000 })
  const reader = answer.body?.getReader()
  await reader?.read()
  return async () => {
    while ((await reader?.read())?.done === false);
  }
}

test('streams that end while a server drains are in the books when it has gone', async () => {
  await using gateway = await start()
  const keys = [await gateway.key({ spend_limit: { day: 1000 } }), await gateway.key()]
  const streams = await Promise.all(keys.map((key) => begin(gateway, key)))
  const arrivals = [await gateway.upstreams.openai.arrival(), await gateway.upstreams.openai.arrival()]
  gateway.child?.kill('SIGTERM')
  await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  for (const { connection } of arrivals) {
    connection.chunk(endOf(1000, 100))
    connection.endChunks()
  }
  await Promise.all(streams.map((readOn) => readOn()))
  expect(await gateway.child?.exited).toBe(0)
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.cost]).toEqual([2, 7_000_000n])
})

test('streams that the end of the drain time breaks off are in the books with what was seen of them', async () => {
  await using gateway = await start({ DRAIN_TIMEOUT_MS: '100' })
  const keys = [await gateway.key({ spend_limit: { day: 1000 } }), await gateway.key()]
  const streams = await Promise.all(keys.map((key) => begin(gateway, key)))
  gateway.child?.kill('SIGTERM')
  await Promise.allSettled(streams.map((readOn) => readOn()))
  expect(await gateway.child?.exited).toBe(0)
  const sum = await gateway.booked(2)
  expect(sum.requests).toBe(2)
  expect(Number(sum.cost)).toBeGreaterThanOrEqual(2 * (OF_PROMPT + OF_WORDS))
  expect(Number(sum.cost)).toBeLessThan(2.2 * (OF_PROMPT + OF_WORDS))
})
