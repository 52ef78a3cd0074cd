import { expect, test } from 'bun:test'
import { writeConfigFile } from '../helpers/config-file.ts'
import { answerAs, fail } from '../helpers/routed.ts'
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

test('a gateway with checks ends like any other', async () => {
  const upstream = await startScriptedUpstream((_request, { closed }) => closed)
  const file = writeConfigFile({ upstreams: { one: { base_url: `${upstream.url}/v1`, ...ALIVE } } })
  const gateway = await startGatewayProcess({ NEXCODE_CONFIG: file.path })
  await upstream.request(1)
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
  expect(await gateway.line(({ msg }) => msg === 'stopped')).toMatchObject({ complete: true })
  await upstream.close()
  file.remove()
})
