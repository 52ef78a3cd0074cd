import { afterAll, expect, test } from 'bun:test'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

/** Far more than the difference between the two is what an answer's beginning may be looked at for. */
const SHORTER_MS = 1200
const LONGER_MS = 1800

const jsonThatStalls: Script = async (request, connection) => {
  await request.body
  connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":"x"')
}
const streamThatStalls: Script = async (request, connection) => {
  await request.body
  connection.startChunked(200, { 'content-type': 'text/event-stream' })
  connection.chunk('data: {"id":"x","choices":[]}\n\n')
}

const gateway: TestGateway<'shorter' | 'longer'> = await startGateway({
  upstreams: { shorter: jsonThatStalls, longer: streamThatStalls },
  settings: {
    shorter: { api_key: 'k', timeouts: { stream_idle: SHORTER_MS } },
    longer: { api_key: 'k', timeouts: { stream_idle: LONGER_MS } },
  },
  file: {
    models: { shorter: { targets: [{ upstream: 'shorter' }] }, longer: { targets: [{ upstream: 'longer' }] } },
  },
})

afterAll(() => gateway.stop())

test('the time in which an answer was looked at counts: it is given up when it has been silent for its limit, and not later', async () => {
  const ended: string[] = []
  const end = async (model: 'shorter' | 'longer', body: object = {}): Promise<number> => {
    const answer = await gateway.chat({ model, ...body })
    await answer.text().catch(() => undefined)
    ended.push(model)
    return answer.status
  }
  // Both fall silent at once: who has waited longer than its limit ends behind the other.
  const statuses = await Promise.all([end('longer', { stream: true }), end('shorter')])
  expect(ended).toEqual(['shorter', 'longer'])
  expect(statuses).toEqual([200, 504])
})
