import { expect, setDefaultTimeout, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { ReceivedRequest, Script } from '../helpers/scripted-upstream.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const BODY = JSON.stringify({ model: 'm', messages: MESSAGES })
const KEY = 'sk-of-the-server-0123456789'

/** A FastAPI server: each path without a slash at its end; with one it is redirected, by the whole URL. */
function fastApi(status = 307, wants = /[^/]$/): Script {
  return async (request, connection) => {
    await request.body
    const [path = '', query] = request.target.split('?')
    if (wants.test(path)) return connection.json({ id: 'x', object: 'y', target: request.target })
    const there = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
    const search = query === undefined ? '' : `?${query}`
    connection.respond(status, { location: `http://${request.header('host')}${there}${search}` })
  }
}

const targets = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ method, target }) => `${method} ${target}`)

test.each([307, 308])('a %d by the slash alone is followed once, with method, body, query and key', async (status) => {
  const gateway = await start({
    upstreams: { only: fastApi(status) },
    settings: { only: { api_key: KEY } },
  })
  const answer = await sendRaw(gateway.port, postText('/v1/chat/completions/?a=1&b=%27', BODY))
  expect([answer.status, answer.json()]).toMatchObject([200, { target: '/v1/chat/completions?a=1&b=%27' }])
  const [first, second] = gateway.upstreams.only.requests
  expect(Buffer.from((await second?.body) ?? '').toString()).toBe(BODY)
  expect(second?.header('authorization')).toBe(`Bearer ${KEY}`)
  expect(second?.headerLines.toSorted()).toEqual(
    first?.headerLines.filter(([name]) => name !== 'Connection').toSorted(),
  )
  expect(await gateway.exchange(1)).toMatchObject({ status: 200, attempts: 1 })
})

test('streams, lists, deletes, exact targets, and servers that want the slash, are followed to where they are', async () => {
  const gateway = await start({ upstreams: { only: fastApi() }, file: {} })
  expect((await gateway.chat({ model: 'm', stream: true }, {}, '/v1/chat/completions/')).status).toBe(200)
  for (const target of ['/v1/models/', '/v1/models/org%2Fname/', "/v1/prompts/{id}/?q='a'", '/models/']) {
    expect((await sendRaw(gateway.port, getText(target))).json()).toMatchObject({
      target: `/v1${target.replace('/v1', '').replace(/\/(?=\?|$)/, '')}`,
    })
  }
  expect((await fetch(`${gateway.url}/v1/files/f/`, { method: 'DELETE' })).status).toBe(200)
  gateway.upstreams.only.play(fastApi(307, /\/$/))
  expect((await gateway.chat({ model: 'm' })).status).toBe(200)
  expect(lastRequest(gateway.upstreams.only).target).toBe('/v1/chat/completions/')
})

test('a GET is followed by a 301 or 302, too; a POST is not, which would become a GET', async () => {
  for (const status of [301, 302, 303]) {
    const gateway = await start({ upstreams: { only: fastApi(status) }, file: {} })
    expect((await sendRaw(gateway.port, getText('/v1/models/'))).status).toBe(200)
    expect((await gateway.chat({ model: 'm' }, {}, '/v1/chat/completions/')).status).toBe(502)
    expect(targets(gateway.upstreams.only.requests).slice(2)).toEqual(['POST /v1/chat/completions/'])
  }
})

test('no other redirect is followed: another path, query, host, port, scheme or user, or none; nor one that leads back', async () => {
  const other = await startScriptedUpstream((_request, connection) => connection.json({}))
  const locations = (host: string): string[] => [
    `http://${host}/v2/chat/completions`,
    `http://${host}/v1/chat/completions?x=1`,
    `http://${host}/v1/chat/completions/?x=1`,
    `http://${host}/v1/chat/completions//`,
    `${other.url}/v1/chat/completions`,
    `https://${host}/v1/chat/completions`,
    `http://user@${host}/v1/chat/completions`,
    `http://localhost:${host.split(':')[1]}/v1/chat/completions`,
    'http://[/',
  ]
  const { chat, upstreams } = await start({
    upstreams: { only: answerAs('only') },
    settings: { only: { api_key: KEY } },
  })
  const { only } = upstreams
  try {
    for (const location of [...locations(`127.0.0.1:${only.port}`), undefined]) {
      only.play(async (request, connection) => {
        await request.body
        connection.respond(307, location === undefined ? {} : { location })
      })
      const before = only.requests.length
      const answer = await chat({ model: 'm' }, {}, '/v1/chat/completions/')
      expect(await errorOf(answer)).toMatchObject([502, { code: 'upstream_invalid_response' }])
      expect(only.requests.length - before).toBe(1)
    }
    only.play(fastApi(307, /^$/))
    const before = only.requests.length
    expect((await chat({ model: 'm' })).status).toBe(502)
    expect(only.requests.length - before).toBe(2)
    expect(other.requests).toEqual([])
  } finally {
    await other.close()
  }
})

test('an upload that streams can’t be sent again: its client is told the place here, never the upstream’s', async () => {
  const gateway = await start({ upstreams: { only: fastApi() }, file: {} })
  // More than comes with its head.
  const body = new Blob(['x'.repeat(600_000)])
  const answer = await fetch(`${gateway.url}/v1/files/?a=1`, {
    method: 'POST',
    body: body.stream(),
    redirect: 'manual',
  })
  expect([answer.status, answer.headers.get('location')]).toEqual([307, '../files?a=1'])
  expect(new URL('../files?a=1', `${gateway.url}/v1/files/?a=1`).pathname).toBe('/v1/files')
  gateway.upstreams.only.play(fastApi(307, /\/$/))
  const other = await fetch(`${gateway.url}/v1/files`, {
    method: 'POST',
    body: body.stream(),
    redirect: 'manual',
  })
  expect([other.status, other.headers.get('location')]).toEqual([307, './files/'])
})

test('redirects open no breaker, however many: the model stays in service', async () => {
  const gateway = await start({
    upstreams: { only: answerAs('only') },
    file: {
      models: { '*': { targets: [{ upstream: 'only' }] } },
      all_open: 'refuse',
      breaker: { failures: 2, minimum: 2, rate: 0.1 },
    },
  })
  const { only } = gateway.upstreams
  for (const status of [300, 301, 302, 303, 307, 308]) {
    only.play(async (request, connection) => {
      await request.body
      connection.respond(status, { location: 'https://elsewhere.test/login' })
    })
    for (let call = 0; call < 3; call += 1) expect((await gateway.chat({ model: 'm' })).status).toBe(502)
  }
  only.play(answerAs('only'))
  expect((await gateway.chat({ model: 'm' })).status).toBe(200)
  const ready = (await (await fetch(`${gateway.url}/ready`)).json()) as { readonly targets: readonly unknown[] }
  expect(ready.targets).toMatchObject([{ state: 'closed' }])
})

test('an active check that is redirected by the slash asks where the list is', async () => {
  const { upstreams } = await start({
    upstreams: { only: fastApi(307, /\/$/) },
    settings: { only: { check: { every: '1h' } } },
  })
  expect((await upstreams.only.request(2)).target).toBe('/v1/models/')
})
