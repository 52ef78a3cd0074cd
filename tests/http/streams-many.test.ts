import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { hasHead } from '../helpers/received-answers.ts'
import type { SentRequest } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const STREAMS = 1000
const SILENCE_MS = 13_000

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand }, command: gatewayCommand() })
})

afterAll(() => gateway.stop())

test('1,000 streams at once all work, and none is queued', async () => {
  gateway.upstreams.openai.play((_request, connection) => {
    connection.startChunked(200, SSE)
    connection.chunk('data: 1\n\n')
    ends.push(connection.endChunks)
  })
  const ends: (() => void)[] = []
  const calls: SentRequest[] = []
  for (let count = 0; count < STREAMS; count += 1) calls.push(await gateway.send())
  const begun = calls.map(({ client }) => client.until((received) => received.includes('data: 1')))
  await within(AT_ONCE_MS, 'the first byte of each', Promise.all(begun))
  // Not one has ended yet: all of them are under way at this moment.
  expect(ends).toHaveLength(STREAMS)
  for (const end of ends) end()
  const responses = await within(AT_ONCE_MS, 'their ends', Promise.all(calls.map(({ client }) => client.response())))
  expect(responses.every(({ isComplete, status }) => isComplete && status === 200)).toBe(true)
  expect(gateway.upstreams.openai.requests).toHaveLength(STREAMS)
  for (const { client } of calls) client.leave()
  expect(gateway.stderr()).toBe('')
}, 60_000)

test('(takes 13 s) no silence of a model is cut by a default: not before the headers, the first token or the second', async () => {
  const held: (() => void)[] = []
  gateway.upstreams.openai.play((_request, connection) => {
    const turn = held.length
    if (turn > 0) connection.startChunked(200, SSE)
    if (turn > 1) connection.chunk('data: 1\n\n')
    held.push(() => {
      if (turn === 0) connection.startChunked(200, SSE)
      connection.chunk('data: 2\n\n')
      connection.endChunks()
    })
  })
  const calls: SentRequest[] = []
  for (let count = 0; count < 3; count += 1) {
    calls.push(await gateway.send())
    await gateway.upstreams.openai.request(STREAMS + count + 1)
  }
  await calls[1]?.client.until(hasHead)
  await Bun.sleep(SILENCE_MS)
  for (const speak of held) speak()
  for (const { client } of calls) {
    const response = await client.response()
    expect(response.text()).toEndWith('data: 2\n\n')
    expect(response.isComplete).toBe(true)
  }
}, 60_000)
