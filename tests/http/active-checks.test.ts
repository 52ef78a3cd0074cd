import { expect, test } from 'bun:test'
import { writeConfigFile } from '../helpers/config-file.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { answerAs, fail, MESSAGES } from '../helpers/routed.ts'
import { routedPerTest } from '../helpers/routed-per-test.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGatewayProcess } from '../helpers/start-gateway.ts'

const start = routedPerTest()

const ALIVE = { check: { path: '/alive', every: 40, timeout: 1000 } }

test('an upstream with a check is asked by GET at its path with its key, again and again; others are not', async () => {
  const { upstreams } = await start({
    upstreams: { one: answerAs('one'), other: answerAs('other') },
    settings: { one: { ...ALIVE, api_key: 'sk-one', headers: { 'x-team': 'red' } } },
  })
  const { method, target, header } = await upstreams.one.request(3)
  expect([method, target, header('authorization'), header('x-team')]).toEqual([
    'GET',
    '/v1/alive',
    'Bearer sk-one',
    'red',
  ])
  expect(upstreams.other.requests).toHaveLength(0)
})

test('failing checks open the breaker before a caller pays for it; the log says when that changes', async () => {
  const { chat, gateway, upstreams } = await start({
    upstreams: { first: fail(500), second: answerAs('second') },
    settings: { first: ALIVE },
    file: {
      models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
      breaker: { failures: 1, open: 800, open_max: 800 },
    },
  })
  expect(await gateway.line(({ msg }) => msg === 'health check failed')).toMatchObject({
    level: 40,
    target: 'first',
    status: 500,
  })
  await gateway.line(({ msg, target }) => msg === 'health check failed' && target === 'first/smart')
  expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
  upstreams.first.play(answerAs('first'))
  await gateway.line(({ msg, target }) => msg === 'health check passed again' && target === 'first/smart')
  expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
  expect(upstreams.first.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
})

test('a gateway that drains asks nobody any more, also while a call is under way', async () => {
  const checkEnded = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    if (request.method === 'GET') {
      await connection.closed
      return checkEnded.resolve()
    }
    await release.promise
    await answerAs('one')(request, connection)
  })
  const check = { path: '/alive', every: 40, timeout: '1h' }
  const file = writeConfigFile({ upstreams: { one: { base_url: `${upstream.url}/v1`, check } } })
  const gateway = await startGatewayProcess({ NEXCODE_CONFIG: file.path })
  await upstream.request(1)
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES })))
  await upstream.request(2)
  gateway.child?.kill('SIGTERM')
  await checkEnded.promise
  release.resolve()
  expect((await client.response()).status).toBe(200)
  expect(await gateway.line(({ msg }) => msg === 'stopped')).toMatchObject({ complete: true })
  expect(await gateway.child?.exited).toBe(0)
  expect(upstream.requests).toHaveLength(2)
  await upstream.close()
  file.remove()
})
