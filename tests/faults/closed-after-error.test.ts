import { expect, setDefaultTimeout, test } from 'bun:test'
import type { Socket } from 'node:net'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)

/**
 * A server that answers a raised error as if the connection lived, and closes it behind that, as uvicorn does: whoever comes
 * over it in between is reset.
 */
function raises(status: number, headers: Readonly<Record<string, string>> = {}): Script {
  const doomed = new Set<Socket>()
  return async (request, connection) => {
    const body = Buffer.from(await request.body).toString()
    if (doomed.has(connection.socket)) return connection.reset()
    for (const socket of doomed) socket.end()
    if (!body.includes('bad')) return connection.json({ ok: true })
    doomed.add(connection.socket)
    connection.respond(status, { 'content-type': 'text/plain', ...headers }, 'Internal Server Error')
  }
}

test.each([500, 502, 503])('a server that closes behind a %d fails nobody’s next request', async (status) => {
  const { chat, upstreams } = await start({
    upstreams: { only: raises(status) },
    file: { breaker: { failures: 0 }, retry: { attempts: 1 } },
  })
  const statuses: number[] = []
  for (let pair = 0; pair < 100; pair += 1) {
    const bad = await chat({ model: 'bad' })
    await bad.text()
    const good = await chat({ model: 'good' })
    await good.text()
    statuses.push(bad.status, good.status)
  }
  expect(statuses.filter((_one, at) => at % 2 === 1 && _one !== 200)).toEqual([])
  expect(statuses.filter((one) => one === status)).toHaveLength(100)
  expect(upstreams.only.requests).toHaveLength(200)
})

test('an upload that streams keeps off such a connection, too', async () => {
  const gateway = await start({ upstreams: { only: raises(500) }, file: {} })
  for (let pair = 0; pair < 20; pair += 1) {
    await (await gateway.chat({ model: 'bad' })).text()
    const body = new Blob(['x'.repeat(100)]).stream()
    const upload = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body })
    expect(upload.status).toBe(200)
  }
})

test('after answers that are no failures, connections are kept', async () => {
  const { chat, upstreams } = await start({
    upstreams: {
      only: async (request, connection) => {
        const body = Buffer.from(await request.body).toString()
        connection.json({}, body.includes('bad') ? 422 : 200)
      },
    },
    file: {},
  })
  for (let pair = 0; pair < 20; pair += 1) {
    await (await chat({ model: 'bad' })).text()
    await (await chat({ model: 'good' })).text()
  }
  expect(upstreams.only.connectionCount()).toBe(1)
})

test('a kept connection that is dead is no failure of the target, and is not asked twice; a new one that breaks is', async () => {
  let resets = 0
  const first: Script = async (request, connection) => {
    await request.body
    if (resets === 0) return connection.json({ ok: true })
    resets -= 1
    connection.reset()
  }
  const gateway = await start({
    upstreams: { first, second: answerAs('second') },
    file: {
      models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
      breaker: { failures: 1, open: '1h', open_max: '1h' },
    },
  })
  await (await gateway.chat({ model: 'smart' })).text()
  resets = 1
  expect((await gateway.chat({ model: 'smart' })).status).toBe(502)
  expect(gateway.upstreams.first.requests).toHaveLength(2)
  expect(await (await gateway.chat({ model: 'smart' })).json()).toEqual({ ok: true })
  expect(await gateway.exchange(2)).toMatchObject({ attempts: 1, tries: [{ target: 'first/smart', why: 'reset' }] })
  // This one has a connection of its own.
  resets = 1
  expect((await gateway.chat({ model: 'smart' })).status).toBe(502)
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
})
