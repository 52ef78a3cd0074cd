import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { childrenOf } from '../helpers/child-processes.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { CALLS_BEHIND, callBehind, HELD_ANSWER, requestUnder, startHeldUpstream } from '../helpers/held-calls.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** An upstream whose answers are the test's, and the two workers in front of it. */
async function startPair(env: Readonly<Record<string, string>>) {
  const held = await startHeldUpstream()
  cleanUps.push(() => held.upstream.close())
  const gateway = await startGateway({
    env: {
      ...{ OPENAI_API_BASE: `${held.upstream.url}/v1`, OPENAI_API_KEY: 'sk-1', WORKERS: '2', LOG_LEVEL: 'debug' },
      ...env,
    },
    command: gatewayCommand(),
  })
  cleanUps.push(() => gateway.stop())
  return { gateway, ...held }
}

/** A connection to the first worker, and one to the second. */
async function twoOf(gateway: TestGateway): Promise<readonly [RawClient, RawClient]> {
  const clients = await connectToEach(gateway)
  const [one, other] = [clients.get(1), clients.get(2)]
  if (one === undefined || other === undefined) throw new Error('There are not two workers.')
  cleanUps.push(() => {
    one.leave()
    other.leave()
  })
  return [one, other]
}

describe.each([
  ['without a cache', { CACHE: 'off' }],
  ['with a cache in memory', { CACHE: 'memory' }],
])('the workers of a server %s', (_what, env) => {
  test('make a request under a key once between them', async () => {
    const { gateway, arrival, arrived } = await startPair(env)
    const [one, other] = await twoOf(gateway)
    const [, behind] = await twoOf(gateway)
    const arriving = arrival()
    one.write(requestUnder('once'))
    const connection = await arriving
    other.write(requestUnder('once'))
    await callBehind(behind, { arrival })
    connection.json(HELD_ANSWER)
    for (const client of [one, other]) await client.until((received) => received.includes('chatcmpl-1'))
    // And when it has been answered.
    other.write(requestUnder('once'))
    await other.until((received) => received.toString().split('chatcmpl-1').length === 3)
    expect(arrived).toHaveLength(1 + CALLS_BEHIND)
  })

  test('know that it is not known how the call of one ended that was killed, and what it had answered', async () => {
    const { gateway, arrival, arrived } = await startPair(env)
    const [one, other] = await twoOf(gateway)
    const first = arrival()
    one.write(requestUnder('answered'))
    ;(await first).json(HELD_ANSWER)
    await one.until((received) => received.includes('chatcmpl-1'))
    const second = arrival()
    one.write(requestUnder('killed'))
    await second
    const [pid = 0] = childrenOf(gateway.child?.pid ?? 0)
    process.kill(pid, 'SIGKILL')
    await gateway.line(({ msg }) => msg === 'a worker ended, and is started again')
    other.write(requestUnder('answered'))
    await other.until((received) => received.includes('chatcmpl-1'))
    other.write(requestUnder('killed'))
    await other.until((received) => received.includes('idempotency_outcome_unknown'))
    expect(arrived).toHaveLength(2)
  })

  test('free the key of a call that has failed, and hold others up until then', async () => {
    const { gateway, arrival, arrived } = await startPair(env)
    const [one, other] = await twoOf(gateway)
    const [, behind] = await twoOf(gateway)
    const arriving = arrival()
    one.write(requestUnder('failed'))
    const connection = await arriving
    other.write(requestUnder('failed'))
    await callBehind(behind, { arrival })
    connection.json({ error: { message: 'x', type: 'server_error', param: null, code: 'boom' } }, 500)
    await one.until((received) => received.includes('boom'))
    await other.until((received) => received.includes('idempotency_under_way'))
    const again = arrival()
    other.write(requestUnder('failed'))
    ;(await again).json(HELD_ANSWER)
    await other.until((received) => received.includes('chatcmpl-1'))
    expect(arrived).toHaveLength(2 + CALLS_BEHIND)
  })
})
