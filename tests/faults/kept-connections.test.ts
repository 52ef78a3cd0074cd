import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Arrival } from '../helpers/scripted-upstream.ts'
import type { RequestParts, SentRequest } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand } })
})

afterAll(() => gateway.stop())

async function exchange(shot: RequestParts): Promise<{ readonly call: SentRequest; readonly arrival: Arrival }> {
  const call = await gateway.send(shot)
  return { call, arrival: await within(AT_ONCE_MS, 'the arrival', gateway.upstreams.openai.arrival()) }
}

const shotOf = (method: string): RequestParts => ({
  method,
  target: '/v1/files/f',
  ...((method === 'GET' || method === 'HEAD') && { body: null }),
})

test('an upstream that closes its kept connections between requests costs nobody a request', async () => {
  for (let times = 0; times < 10; times += 1) {
    const { call, arrival } = await exchange({})
    arrival.connection.json({ times })
    arrival.connection.socket.end()
    expect((await call.client.response()).json()).toEqual({ times })
    await within(AT_ONCE_MS, 'closing', arrival.connection.closed)
    call.client.leave()
  }
})

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH'])(
  'a kept connection that breaks under a %s costs exactly one upstream request, which is a 502',
  async (method) => {
    for (const strike of ['end', 'reset'] as const) {
      const warm = await exchange({})
      warm.arrival.connection.json({})
      await warm.call.client.response()
      const before = gateway.upstreams.openai.requests.length
      const { call, arrival } = await exchange(shotOf(method))
      if (strike === 'end') arrival.connection.socket.end()
      else arrival.connection.reset()
      await call.client.until((received) => received.includes('\r\n\r\n'))
      expect(call.client.received().toString()).toStartWith('HTTP/1.1 502')
      expect(await call.record()).toMatchObject({ status: 502, outcome: 'failed', attempts: 1 })
      expect(gateway.upstreams.openai.requests.length).toBe(before + 1)
      call.client.leave()
      warm.call.client.leave()
    }
  },
)

test('bytes behind a complete answer are not taken for the answer of the next request', async () => {
  const first = await exchange({})
  first.arrival.connection.write(
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged',
  )
  expect((await first.call.client.response()).text()).toBe('{}')
  const { call, arrival } = await exchange({})
  arrival.connection.json({ mine: true })
  const response = await call.client.response()
  expect(response.text()).not.toContain('forged')
  call.client.leave()
})
