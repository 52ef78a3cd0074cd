import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, answerOk, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const TOKEN = 'a-token-of-more-than-16-characters'
const BOTH = {
  models: { smart: { targets: [{ upstream: 'first', model: 'a' }, { upstream: 'second' }] } },
}

test('/ready shows each target’s state: closed or open, for how long, what is under way and how fast it is', async () => {
  const gateway = await start({
    upstreams: { first: fail(500), second: answerAs('second') },
    settings: { first: { api_keys: ['sk-first-secret', 'sk-other-secret'] } },
    file: { ...BOTH, breaker: { failures: 1, open: '90s', open_max: '90s' } },
  })
  await gateway.chat({ model: 'smart' })
  await gateway.chat({ model: 'smart' })
  await (await gateway.chat({ model: 'smart' })).text()
  gateway.upstreams.first.play((_request, { closed }) => closed)
  const leaving = new AbortController()
  const call = fetch(`${gateway.url}/v1/files`, { signal: leaving.signal }).catch(() => undefined)
  await gateway.upstreams.first.request(3)
  const response = await fetch(`${gateway.url}/ready`)
  const text = await response.text()
  expect(response.status).toBe(200)
  expect(text).not.toContain('secret')
  const { targets } = JSON.parse(text) as { targets: Record<string, unknown>[] }
  const idle = { state: 'closed', in_flight: 0, queued: 0, ttfb_ms: null }
  const open = { ...idle, state: 'open', open_for_ms: expect.any(Number) }
  expect(targets).toEqual([
    { ...idle, target: 'first', in_flight: 1 },
    { ...idle, target: 'first#2' },
    { ...idle, target: 'second' },
    { ...open, target: 'first/a' },
    { ...open, target: 'first/a#2' },
    { ...idle, target: 'second/smart', ttfb_ms: expect.any(Number) },
  ])
  const openForMs = Number(targets[3]?.['open_for_ms'])
  expect(openForMs).toBeGreaterThan(80_000)
  expect(openForMs).toBeLessThanOrEqual(90_000)
  leaving.abort()
  await call
})

test('all may ask whether it is ready; who the targets are is for holders of a token', async () => {
  const gateway = await start({
    upstreams: { first: answerAs('first'), second: answerAs('second') },
    file: BOTH,
    env: { API_TOKEN: TOKEN, REQUIRE_AUTH: 'true' },
  })
  const ready = (headers: Record<string, string>) => sendRaw(gateway.port, getText('/ready', headers))
  const known = await ready({ Authorization: `Bearer ${TOKEN}` })
  expect(known.json()).toMatchObject({ status: 'ready', targets: [{ target: 'first' }, {}, {}, {}] })
  for (const headers of [{}, { Authorization: 'Bearer sk-some-key' }, { Authorization: `Bearer ${TOKEN}x` }]) {
    const answer = await ready(headers)
    expect([answer.status, answer.json()]).toEqual([200, { status: 'ready' }])
  }
})

test('a program of this machine’s may know, of a server that asks for no token; who brings a key of its own may not', async () => {
  const gateway = await start({
    upstreams: { first: answerAs('first'), second: answerAs('second') },
    file: BOTH,
  })
  const ready = (headers: Record<string, string>) => sendRaw(gateway.port, getText('/ready', headers))
  expect((await ready({})).json()).toHaveProperty('targets')
  for (const headers of [
    { Authorization: 'Bearer sk-some-key' },
    { 'X-Forwarded-For': '203.0.113.5' },
    { Origin: 'https://page.example' },
  ]) {
    expect((await ready(headers)).json()).toEqual({ status: 'ready' })
  }
})

test('without a file there are no targets to show', async () => {
  const gateway = await startGateway({ upstreams: { openai: answerOk } })
  expect((await sendRaw(gateway.port, getText('/ready'))).json()).toEqual({ status: 'ready' })
  await gateway.stop()
})

test('/health says nothing of them, to nobody', async () => {
  const gateway = await start({ upstreams: { first: answerAs('first'), second: answerAs('second') }, file: BOTH })
  expect((await sendRaw(gateway.port, getText('/health'))).json()).toEqual({ status: 'ok' })
})
