import { expect, test } from 'bun:test'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  Authorization: 'Bearer sk-of-the-caller',
}

test('a 426 says what is spoken instead at each hop: the simulated OpenAI’s own, and the one that is relayed', async () => {
  await using gateway = await startGateway({ upstreams: { openai: 'simulated' } })
  for (const port of [Number(new URL(gateway.upstreams.openai.url).port), gateway.port]) {
    for (const path of ['/v1/responses', '/v1/realtime?model=gpt-realtime']) {
      const { status, headers, json } = await sendRaw(port, getText(path, UPGRADE))
      expect([status, headers.get('upgrade')]).toEqual([426, 'HTTP/1.1'])
      expect(json()).toMatchObject({ error: { type: 'invalid_request_error' } })
    }
  }
})
