import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const reset: Script = (_request, connection) => connection.reset()
const FILE = {
  models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
  retry: { on: ['reset'], attempts: 2 },
}

test('debug_headers: an error of ours says who was asked last, and how often', async () => {
  const { chat } = await start({ upstreams: { first: reset, second: reset }, file: { ...FILE, debug_headers: true } })
  const { status, headers } = await chat({ model: 'smart' })
  expect(status).toBe(502)
  expect([headers.get('x-nexcode-upstream'), headers.get('x-nexcode-attempts')]).toEqual(['second', '2'])
  expect(headers.get('server-timing')).toContain('nexcode;dur=')
})

test('without debug_headers it says neither, nor does a refusal for which nobody was asked', async () => {
  const quiet = await start({ upstreams: { first: reset, second: reset }, file: FILE })
  expect([...(await quiet.chat({ model: 'smart' })).headers.keys()].filter((name) => /^x-nexcode/.test(name))).toEqual(
    [],
  )
  const talkative = await start({
    upstreams: { first: reset },
    file: { debug_headers: true, unknown_models: 'refuse' },
  })
  const { status, headers } = await talkative.chat({ model: 'smart' })
  expect(status).toBe(404)
  expect(headers.get('x-nexcode-attempts')).toBeNull()
})
