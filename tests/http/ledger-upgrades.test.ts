import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { addKey, newKey } from '../helpers/ledger-keys.ts'
import { getText, openRawClient } from '../helpers/raw-client.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-upgrades-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { write } = extensionFiles()

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

async function ledgerWithKey(name: string) {
  const LEDGER = `sqlite:${join(folder, name)}`
  const ledger = await openLedger(LEDGER)
  const key = await addKey(ledger, 'key_1')
  await ledger.close()
  return { LEDGER, key }
}

test('a WebSocket opens with a key, in a header or in the subprotocols, and the upstream gets the server’s', async () => {
  const seen: Headers[] = []
  using echo = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, server) {
      seen.push(new Headers(request.headers))
      return server.upgrade(request, { data: undefined, headers: { 'sec-websocket-protocol': 'realtime' } })
        ? undefined
        : new Response('no', { status: 400 })
    },
    websocket: { message: () => undefined },
  })
  const { LEDGER, key } = await ledgerWithKey('a.sqlite')
  await using gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `http://127.0.0.1:${echo.port}/v1`,
      OPENAI_API_KEY: 'sk-server',
      REQUIRE_AUTH: 'true',
      LEDGER,
    },
  })
  const open = async (more: Readonly<Record<string, string>>): Promise<string> => {
    const client = await openRawClient(gateway.port)
    client.write(getText('/v1/realtime?model=m', { ...HANDSHAKE, ...more }))
    await client.until((received) => received.includes('\r\n\r\n'))
    client.leave()
    return String(client.received())
  }
  const ways = [
    { Authorization: `Bearer ${key}`, 'Sec-WebSocket-Protocol': 'realtime' },
    { 'Sec-WebSocket-Protocol': `realtime, openai-insecure-api-key.${key}` },
  ]
  for (const way of ways) expect(await open(way)).toStartWith('HTTP/1.1 101 ')
  expect(await open({ Authorization: `Bearer ${newKey()}` })).toStartWith('HTTP/1.1 401 ')
  expect(seen).toHaveLength(2)
  for (const headers of seen) {
    expect(headers.get('authorization')).toBe('Bearer sk-server')
    expect(JSON.stringify([...headers])).not.toContain(key)
  }
})

test('an extension sees the id of the key and its project, and not the key', async () => {
  const { LEDGER, key } = await ledgerWithKey('b.sqlite')
  const path = write(
    'who',
    `return Response.json({ who: context.principal, all: [request.url, ...request.headers].join() })`,
  )
  await using gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { OPENAI_API_KEY: 'sk-server', REQUIRE_AUTH: 'true', LEDGER, EXTENSIONS: path },
  })
  const answer = await fetch(`${gateway.url}/v1/models?key=${key}`, { headers: { authorization: `Bearer ${key}` } })
  const { who, all } = (await answer.json()) as { who: object; all: string }
  expect(who).toEqual({ kind: 'key', id: 'key_1', project: 'proj_default' })
  expect(all).not.toContain(key)
})
