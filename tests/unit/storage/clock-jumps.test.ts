import { afterEach, beforeEach, expect, setSystemTime, test } from 'bun:test'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../../helpers/start-gateway.ts'

const DAY_MS = 24 * 3600 * 1000

let upstream: ScriptedUpstream
let gateway: TestGateway
beforeEach(async () => {
  upstream = await startScriptedUpstream((_request, connection) =>
    connection.json({ id: 'c', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop' }] }),
  )
  gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${upstream.url}/v1`,
      OPENAI_API_KEY: 'sk-server-0123456789',
      CACHE: 'memory',
    },
  })
})
afterEach(async () => {
  setSystemTime()
  await gateway.stop()
  await upstream.close()
})

async function ask(headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const body = JSON.stringify({ model: 'm', temperature: 0, messages: [{ role: 'user', content: 'hi' }] })
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, init)
  await answer.arrayBuffer()
  return answer.status
}

test.each([
  ['forward', 30 * DAY_MS],
  ['back', -30 * DAY_MS],
])('a clock that is put %s has no request under an Idempotency-Key paid for a second time', async (_way, ms) => {
  for (let n = 0; n < 2; n += 1) expect(await ask({ 'idempotency-key': 'one' })).toBe(200)
  setSystemTime(new Date(Date.now() + ms))
  for (let n = 0; n < 2; n += 1) expect(await ask({ 'idempotency-key': 'one' })).toBe(200)
  expect(upstream.requests).toHaveLength(1)
})

test('a clock that is put back makes no kept answer younger: how old it is nobody knows, and it is asked for anew', async () => {
  for (let n = 0; n < 2; n += 1) expect(await ask()).toBe(200)
  expect(upstream.requests).toHaveLength(1)
  setSystemTime(new Date(Date.now() - 30 * DAY_MS))
  for (let n = 0; n < 2; n += 1) expect(await ask()).toBe(200)
  expect(upstream.requests).toHaveLength(2)
})
