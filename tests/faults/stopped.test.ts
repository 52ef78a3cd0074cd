import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { CHAT, OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

/** Far more than a busy machine keeps a test from its next step, and less than the process stands still. */
const LIMIT_MS = 4_000
const STOPPED_MS = 6_000

let gateway: TestGateway<'openai'>
afterEach(() => gateway.stop())

/** Stops the gateway's process for longer than any of its limits, while `meanwhile` happens. */
async function standStill(meanwhile: () => void): Promise<void> {
  gateway.child?.kill('SIGSTOP')
  meanwhile()
  await Bun.sleep(STOPPED_MS)
  gateway.child?.kill('SIGCONT')
}

test('a process that stood still for longer than its limits gives all the answers that came meanwhile', async () => {
  const limit = String(LIMIT_MS)
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: {
      FIRST_BYTE_TIMEOUT_MS: limit,
      STREAM_IDLE_TIMEOUT_MS: limit,
      WRITE_IDLE_TIMEOUT_MS: limit,
      UPLOAD_IDLE_TIMEOUT_MS: limit,
    },
    command: gatewayCommand(),
  })
  const waiting = await gateway.send({ body: CHAT })
  const first = await gateway.upstreams.openai.arrival()
  const streaming = await gateway.send()
  const second = await gateway.upstreams.openai.arrival()
  second.connection.startChunked(200, SSE)
  second.connection.chunk('data: {"n":1}\n\n')
  await streaming.client.until((received) => received.includes('data: {"n":1}'))
  const uploading = await gateway.send({
    body: null,
    headers: { ...OWN_KEY, 'Content-Type': 'application/octet-stream', 'Content-Length': '3' },
    target: '/v1/files',
  })
  await standStill(() => {
    first.connection.json({ id: 'c' })
    second.connection.chunk('data: {"n":2}\n\n')
    uploading.client.write('abc')
  })
  expect(await waiting.record()).toMatchObject({ status: 200, outcome: 'complete' })
  second.connection.chunk('data: [DONE]\n\n')
  second.connection.endChunks()
  expect(await streaming.record()).toMatchObject({ status: 200, outcome: 'complete' })
  const third = await gateway.upstreams.openai.arrival()
  expect(new TextDecoder().decode(await third.request.body)).toBe('abc')
  third.connection.json({ id: 'file-1' })
  expect(await uploading.record()).toMatchObject({ status: 200, outcome: 'complete' })
})

test('what has not come by then is late all the same', async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { FIRST_BYTE_TIMEOUT_MS: String(LIMIT_MS) },
    command: gatewayCommand(),
  })
  const waiting = await gateway.send({ body: CHAT })
  await gateway.upstreams.openai.arrival()
  await standStill(() => undefined)
  expect(await waiting.record()).toMatchObject({ status: 504, error: 'upstream_timeout' })
})
