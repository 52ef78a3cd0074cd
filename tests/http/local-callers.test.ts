import { expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import type { Env } from '../helpers/gateway-under-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const SERVER_KEY = 'sk-server-0123456789'
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const OWN = { Authorization: 'Bearer sk-mine' }
const files = extensionFiles()

/** A gateway whose only upstream is spoken to with the server's key, whatever callers bring. */
async function withServersKey(
  use: (gateway: TestGateway<'one'>) => Promise<void>,
  env: Env = {},
  file = {},
): Promise<void> {
  const settings = { one: { api_key: SERVER_KEY } }
  const gateway = await startGateway({ upstreams: { one: answerAs('one') }, settings, env, file })
  try {
    await use(gateway)
  } finally {
    await gateway.stop()
  }
}

const statusOf = async (port: number, bytes: string): Promise<number> => (await sendRaw(port, bytes)).status

test("a file's key is spent by programs of this machine, whatever key they bring, and by nobody behind a proxy", async () => {
  await withServersKey(async ({ port, upstreams: { one } }) => {
    expect(await statusOf(port, postText('/v1/chat/completions', CHAT, OWN))).toBe(200)
    expect((await one.request(1)).header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
    for (const headers of [{ 'X-Client-IP': '1.2.3.4' }, { Host: 'backend' }, { 'CF-Ray': 'x' }]) {
      expect(await statusOf(port, postText('/v1/chat/completions', CHAT, { ...OWN, ...headers }))).toBe(401)
    }
    const by10 = postText('/v1/chat/completions', CHAT, OWN).replace('HTTP/1.1', 'HTTP/1.0')
    expect(await statusOf(port, by10)).toBe(401)
    expect(one.requests).toHaveLength(1)
  })
})

test('with LOCAL_CALLERS=off it is spent by holders of a token alone, of which there are none then', async () => {
  await withServersKey(
    async ({ port, upstreams: { one } }) => {
      expect(await statusOf(port, postText('/v1/chat/completions', CHAT, OWN))).toBe(401)
      expect(await statusOf(port, postText('/v1/chat/completions', CHAT))).toBe(401)
      expect(one.requests).toHaveLength(0)
    },
    { LOCAL_CALLERS: 'off' },
  )
})

test('a stranger behind a proxy stays one where an extension makes another request, without what the proxy added', async () => {
  const path = files.write(
    'afresh',
    'return next(new Request(request.url, { method: "POST", body: await request.text() }))',
  )
  await withServersKey(
    async ({ port, upstreams: { one } }) => {
      const forwarded = postText('/v1/chat/completions', CHAT, { ...OWN, 'X-Forwarded-For': '1.2.3.4' })
      expect(await statusOf(port, forwarded)).toBe(401)
      expect(await statusOf(port, forwarded.replace('HTTP/1.1', 'HTTP/1.0'))).toBe(401)
      expect(one.requests).toHaveLength(0)
      expect(await statusOf(port, postText('/v1/chat/completions', CHAT, OWN))).toBe(200)
    },
    {},
    { extensions: [path] },
  )
})
