import { expect, test } from 'bun:test'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

test('a WebSocket that a rule refuses is in the log with the model that its URL names', async () => {
  await using gateway = await startGateway({
    upstreams: { only: answerOk },
    file: { params: [{ clamp: { max_tokens: { max: 5 } } }] },
  })
  const headers = {
    ...{ authorization: 'Bearer sk-mine', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    'sec-websocket-key': btoa('0123456789abcdef'),
  }
  expect((await sendRaw(gateway.port, getText('/v1/realtime?model=gpt', headers))).status).toBe(400)
  expect(await gateway.exchange(1)).toMatchObject({ model: 'gpt', error: 'rules_not_applicable', status: 400 })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})
