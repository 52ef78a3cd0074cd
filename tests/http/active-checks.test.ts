import { expect, test } from 'bun:test'
import { writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const ALIVE = { check: { path: '/alive', every: 40, timeout: 1000 } }

test('an upstream with a check is asked by GET at its path with its key, again and again; others are not', async () => {
  const { upstreams } = await start({
    upstreams: { one: answerAs('one'), other: answerAs('other') },
    settings: { one: { ...ALIVE, api_key: 'sk-one', headers: { 'x-team': 'red' } } },
  })
  const { method, target, header } = await upstreams.one.request(3)
  expect([method, target, header('authorization'), header('x-team')]).toEqual(['GET', '/alive', 'Bearer sk-one', 'red'])
  expect(upstreams.other.requests).toHaveLength(0)
})

test('a path is from the root, where most have it; else beside /v1, else behind the base: what is there is kept', async () => {
  const seen = async (health: string, settings: object): Promise<string[]> => {
    const { upstreams } = await start({
      upstreams: { one: ({ target }, connection) => connection.json({}, target === health ? 200 : 404) },
      settings: { one: { check: { every: 30, timeout: 5000, path: '/health' }, ...settings } },
    })
    await upstreams.one.request(5)
    return upstreams.one.requests.slice(0, 5).map(({ target }) => target)
  }
  expect(await seen('/health', {})).toEqual(Array(5).fill('/health'))
  expect(await seen('/v1/health', {})).toEqual(['/health', ...Array<string>(4).fill('/v1/health')])
  expect(await seen('/health', { check: { every: 30 }, preset: 'vllm' })).toEqual(Array(5).fill('/health'))
  expect(await seen('/v1/models', { check: { every: 30 } })).toEqual(Array(5).fill('/v1/models'))
  expect(await seen('/v1/models', { check: { every: 30, path: '/models' } })).toEqual(Array(5).fill('/v1/models'))
})

test('a 404 or 405 is no health: one warning, no failure, and a breaker that is open stays so', async () => {
  const gateway = await start({
    upstreams: {
      one: async (request, connection) => {
        if (request.method === 'GET') return connection.json({}, request.target === '/health' ? 404 : 405)
        await fail(500)(request, connection)
      },
    },
    settings: { one: { check: { every: 30, timeout: 5000, path: '/health' } } },
    file: {
      breaker: { failures: 1, open: 60_000, open_max: 60_000 },
      models: { smart: { targets: [{ upstream: 'one' }] } },
    },
  })
  expect(await gateway.line(({ target }) => target === 'one/smart')).toMatchObject({
    level: 40,
    status: 405,
    paths: ['/health', '/v1/health'],
    msg: 'health check finds nothing there: set check.path of the upstream',
  })
  await gateway.upstreams.one.request(8)
  expect((await gateway.chat({ model: 'smart' })).status).toBe(500)
  const ready = await fetch(`${gateway.url}/ready`)
  expect(await ready.text()).not.toContain('half_open')
  await gateway.upstreams.one.request(12)
  const warnings = gateway.lines.filter(({ msg }) => String(msg).startsWith('health check'))
  expect(warnings.map(({ target }) => target).toSorted()).toEqual(['one', 'one/smart'])
})

test('failing checks open the breaker before a caller pays for it; the log says when that changes', async () => {
  const gateway = await start({
    upstreams: { first: fail(500), second: answerAs('second') },
    settings: { first: ALIVE },
    file: {
      models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
      breaker: { failures: 1, open: 4_000, open_max: 4_000 },
    },
  })
  // Both deployments of the upstream are asked at once: either may be answered first.
  for (const target of ['first', 'first/smart']) {
    const failed = await gateway.line((line) => line['msg'] === 'health check failed' && line['target'] === target)
    expect(failed).toMatchObject({ level: 40, status: 500 })
  }
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
  gateway.upstreams.first.play(answerAs('first'))
  await gateway.line(({ msg, target }) => msg === 'health check passed again' && target === 'first/smart')
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
  expect(gateway.upstreams.first.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
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
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path }, command: gatewayCommand() })
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

test('a check whose key is refused has that rest before a caller meets it, and one at the list of models wakes it', async () => {
  let isRevoked = true
  const gateway = await start({
    upstreams: {
      one: (request, connection) => (isRevoked ? fail(401) : answerAs('one'))(request, connection),
      other: answerAs('other'),
    },
    settings: { one: { api_key: 'sk-one', check: { path: '/models', every: 30, timeout: 5000 } } },
    file: {
      breaker: { open: 100, open_max: 100 },
      models: { smart: { targets: [{ upstream: 'one' }, { upstream: 'other' }] } },
    },
  })
  const warning = await gateway.line(({ rests_ms: rests }) => rests !== undefined)
  expect(warning).toMatchObject({ level: 40, upstream: 'one', key: 'api_key', status: 401 })
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'other' })
  isRevoked = false
  await gateway.upstreams.one.request(gateway.upstreams.one.requests.length + 2)
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'one' })
})
