import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const KEY = 'sk-of-the-server-0123456789'
const CHAT = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'x' }

let open: { readonly close: () => Promise<void> }[] = []
let file: ConfigFile | undefined

afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
  file?.remove()
})

/** A server that says who it is, whichever way it is asked: a call, a tunnel, a WebSocket. */
async function start(who: string): Promise<ScriptedUpstream> {
  const script: Script = async (request, connection) => {
    await request.body
    const isChat = request.header('upgrade') === undefined && request.method !== 'CONNECT'
    connection.json({ by: who, object: 'list', data: [] }, isChat ? 200 : 418)
  }
  const server = await startScriptedUpstream(script)
  open.push(server)
  return server
}

async function webSocketStatus(port: number): Promise<number> {
  const client = await openRawClient(port)
  client.write(getText('/v1/realtime?model=m', UPGRADE))
  const { status } = await client.response()
  client.leave()
  return status
}

/** Who gets which of the calls that a gateway makes of a chat, of a target that only the exact way can send, and of a WebSocket. */
async function whoGets(env: Env, host = '127.0.0.1'): Promise<{ readonly upstream: number; readonly proxy: number }> {
  const [upstream, proxy] = await Promise.all([start('upstream'), start('proxy')])
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `http://${host}:${upstream.port}/v1`,
      OPENAI_API_KEY: KEY,
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll('PROXY', proxy.url)])),
    },
    command: gatewayCommand(),
  })
  try {
    await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT))
    await sendRaw(gateway.port, getText('/v1/models'))
    await sendRaw(gateway.port, getText('/v1/prompts/{id}'))
    await webSocketStatus(gateway.port)
  } finally {
    await gateway.stop()
  }
  return { upstream: upstream.requests.length, proxy: proxy.requests.length }
}

const DIRECT = { upstream: 4, proxy: 0 }
const PROXIED = { upstream: 0, proxy: 4 }

test.each(['10.0.0.0/8,127.0.0.0/8', ' a.test , 127.0.0.1 ', 'a.test,*'])(
  'NO_PROXY=%s has chats, lists, exact targets and WebSockets go to the upstream itself',
  async (text) => {
    expect(await whoGets({ HTTP_PROXY: 'PROXY', NO_PROXY: text })).toEqual(DIRECT)
    expect(await whoGets({ http_proxy: 'PROXY', no_proxy: text })).toEqual(DIRECT)
  },
)

test.each(['127.0.0.1:1', '*.0.0.1', '128.0.0.0/8,localhost'])(
  'NO_PROXY=%s has all of them go through the proxy',
  async (text) => {
    expect(await whoGets({ HTTP_PROXY: 'PROXY', NO_PROXY: text })).toEqual(PROXIED)
    expect(await whoGets({ ALL_PROXY: 'PROXY', NO_PROXY: text })).toEqual(PROXIED)
  },
)

test('localhost is within the networks of loopback, and is a name', async () => {
  for (const text of ['127.0.0.0/8', 'LocalHost']) {
    expect(await whoGets({ HTTP_PROXY: 'PROXY', NO_PROXY: text }, 'localhost')).toEqual(DIRECT)
  }
})

test('a proxy is taken for an http one where its variable says no scheme', async () => {
  const proxy = await start('bare')
  expect(await whoGets({ HTTP_PROXY: proxy.url.slice('http://'.length) })).toEqual({ upstream: 0, proxy: 0 })
  expect(proxy.requests).toHaveLength(4)
})

test('an upstream’s own proxy is used for everything, also where NO_PROXY names the upstream', async () => {
  const [upstream, proxy] = await Promise.all([start('upstream'), start('proxy')])
  file = writeConfigFile({
    upstreams: { far: { base_url: `${upstream.url}/v1`, api_key: KEY, proxy: proxy.url, check: { every: '1h' } } },
  })
  const gateway = await startGateway({
    env: { NEXCODE_CONFIG: file.path, NO_PROXY: '127.0.0.1' },
    command: gatewayCommand(),
  })
  try {
    await proxy.request(1)
    await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT))
    await sendRaw(gateway.port, getText('/v1/prompts/{id}'))
    await webSocketStatus(gateway.port)
    expect([upstream.requests.length, proxy.requests.length]).toEqual([0, 4])
  } finally {
    await gateway.stop()
  }
})

test('an active check, and `nexcode check`, go where the calls go', async () => {
  const [upstream, proxy] = await Promise.all([start('upstream'), start('proxy')])
  file = writeConfigFile({
    upstreams: { near: { base_url: `${upstream.url}/v1`, api_key: KEY, check: { every: '1h' } } },
  })
  const env = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.0/8' }
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path, ...env }, command: gatewayCommand() })
  try {
    await upstream.request(1)
  } finally {
    await gateway.stop()
  }
  const end = await runProgram(['check', '--config', file.path], env)
  const asked = upstream.requests.length
  expect([end.code, asked > 1, proxy.requests.length]).toEqual([0, true, 0])
  await runProgram(['check', '--config', file.path], { HTTP_PROXY: proxy.url })
  expect([upstream.requests.length, lastRequest(proxy).target]).toEqual([asked, `${upstream.url}/v1/models`])
})

test('a proxy that is none, or of a kind that is not spoken here, fails a call and never has it go by itself', async () => {
  for (const HTTP_PROXY of ['socks5://127.0.0.1:1080', 'http://:0:0']) {
    const upstream = await start('upstream')
    const gateway = await startGateway({
      env: { OPENAI_API_BASE: `${upstream.url}/v1`, HTTP_PROXY },
      command: gatewayCommand(),
    })
    try {
      const statuses = [
        (await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT))).status,
        (await sendRaw(gateway.port, getText('/v1/prompts/{id}'))).status,
        await webSocketStatus(gateway.port),
      ]
      expect([statuses, upstream.requests.length]).toEqual([[502, 502, 502], 0])
    } finally {
      await gateway.stop()
    }
  }
})
