import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { childrenOf } from '../helpers/child-processes.ts'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { useUpFiles } from '../helpers/lower-limit.ts'
import { getText, openRawClient, postText, type RawClient } from '../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const CHAT = postText('/v1/chat/completions', '{"model":"m","messages":[]}')
const UPGRADING = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const UPGRADE = getText('/v1/realtime?model=m', UPGRADING)
const REFUSED = { error: { code: 'out_of_connections', type: 'server_error' } }

let upstream: ScriptedUpstream
let gateway: TestGateway
let file: ConfigFile
let clients: RawClient[]

beforeEach(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json({ ok: true }))
})
afterEach(async () => {
  for (const client of clients) client.leave()
  await gateway.stop()
  file.remove()
  await upstream.close()
})

/** A gateway whose breakers open at the first failure, and clients that are connected already. */
async function start(host: string, env: Env = {}): Promise<void> {
  file = writeConfigFile({
    upstreams: { u: { base_url: `http://${host}:${upstream.port}/v1`, api_key: 'sk-server-0123456789' } },
    models: { m: { targets: [{ upstream: 'u' }] } },
    breaker: { failures: 1, open: '60s' },
    all_open: 'refuse',
  })
  gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path, ...env }, command: gatewayCommand() })
  clients = []
  for (let n = 0; n < 8; n += 1) clients.push(await openRawClient(gateway.port))
  // From source, modules are files, too.
  expect((await ask(getText('/nowhere', UPGRADING))).status).toBe(404)
}

/** Sends a request on a connection that is there already, each on one of its own. */
function ask(request: string): ReturnType<RawClient['response']> {
  const client = clients.shift()
  client?.write(request)
  return client === undefined ? Promise.reject(new Error('no client is left')) : client.response()
}

test.each([
  ['an address', '127.0.0.1'],
  ['a name', 'localhost'],
  ['a name that has to be looked up', 'nobody.invalid'],
])(
  'a call to %s that no descriptor is left for is refused as our own lack: one warning, no failure of the upstream',
  async (_what, host) => {
    await start(host)
    const usedUp = useUpFiles(gateway.child?.pid)
    for (const request of [CHAT, CHAT, UPGRADE]) {
      const refused = await ask(request)
      expect(refused.status).toBe(503)
      expect(refused.headers.get('retry-after')).toBe('1')
      expect(refused.json()).toMatchObject(REFUSED)
    }
    usedUp.giveBack()
    expect(upstream.requests).toHaveLength(0)
    const again = await ask(CHAT)
    // A breaker that one failure opens would refuse it.
    if (host === 'nobody.invalid') expect(again.text()).not.toContain('upstream_unavailable')
    else expect(again.status).toBe(200)
    await gateway.exchange(4)
    expect(gateway.lines.filter(({ level, msg }) => Number(level) >= 40 && msg !== 'exchange')).toContainEqual(
      expect.objectContaining({ cause: 'EMFILE', msg: expect.stringContaining('raise ulimit -n') }),
    )
    expect(gateway.lines.filter(({ cause, msg }) => cause === 'EMFILE' && msg !== 'exchange')).toHaveLength(1)
  },
)

test('a worker that has no descriptor left refuses its calls, goes on, and is well when it has some', async () => {
  await start('localhost', { WORKERS: '2' })
  const all = await Promise.all(childrenOf(gateway.child?.pid ?? 0))
  const usedUp = all.map((pid) => useUpFiles(pid))
  expect((await ask(CHAT)).json()).toMatchObject(REFUSED)
  for (const one of usedUp) one.giveBack()
  expect((await ask(CHAT)).status).toBe(200)
  expect(childrenOf(gateway.child?.pid ?? 0)).toEqual(all)
})

test('a configuration that could not be read for want of a descriptor is read when there is one', async () => {
  await start('127.0.0.1')
  const usedUp = useUpFiles(gateway.child?.pid)
  file.write(
    JSON.stringify({ upstreams: { u: { base_url: `${upstream.url}/other/v1`, api_key: 'sk-server-0123456789' } } }),
  )
  const failed = await gateway.line(({ msg }) => String(msg).startsWith('configuration not reloaded'))
  expect(String(failed['problems'])).toContain('EMFILE')
  usedUp.giveBack()
  await gateway.line(({ msg }) => String(msg).startsWith('configuration reloaded'))
  expect((await ask(CHAT)).status).toBe(200)
  expect(upstream.requests[0]?.target).toBe('/other/v1/chat/completions')
  expect(gateway.lines.filter(({ msg }) => String(msg).startsWith('configuration not reloaded'))).toHaveLength(1)
})
