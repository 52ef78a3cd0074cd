import { expect, test } from 'bun:test'
import { Secret } from '../../../../src/config/secret.ts'
import { createMask } from '../../../../src/upstream/mask.ts'
import { perTest } from '../../../helpers/per-test.ts'
import { closeFrame, frame } from '../../../helpers/websocket-peer.ts'
import { openLink, SWITCH, startRelay } from '../../../helpers/websocket-relay.ts'

const KEY = 'sk-server-0123456789'
const STARS = '*'.repeat(KEY.length)
const mask = createMask([new Secret(KEY)])
const start = perTest((headers: readonly [string, string][] = []) => startRelay({ mask, headers }))

const hidden = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('latin1').replaceAll(KEY, STARS), 'latin1')

const ERRORS = [
  frame('text', `{"type":"error","error":{"message":"bad key ${KEY}"}}`),
  frame('text', `{"type":"response.failed","response":{"error":{"message":"${KEY} ${'long '.repeat(100)}"}}}`),
  closeFrame(1008, `no such key: ${KEY}`),
]
const OTHERS = [
  frame('text', `{"type":"response.output_text.delta","delta":"${KEY}"}`),
  frame('binary', Buffer.from(`\0\x01${KEY}\xff`, 'latin1')),
  frame('ping', KEY),
  frame('text', ''),
]

test("errors and the closing reason show no key, whatever the chunks; all other frames are the upstream's", async () => {
  const all = Buffer.concat([...OTHERS, ...ERRORS])
  const expected = Buffer.concat([...OTHERS, ...ERRORS.map(hidden)])
  for (const size of [1, 13, all.byteLength]) {
    const { server, bare } = await start()
    const { client, upstream } = await openLink(server, bare)
    for (let at = 0; at < all.byteLength; at += size) {
      upstream.write(all.subarray(at, at + size))
      if (size > 1) await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await client.read(expected.byteLength)).equals(expected)).toBe(true)
  }
})

test('a message is there as soon as its last byte is, also such as ends like the key begins', async () => {
  const { server, bare } = await start()
  const { client, upstream } = await openLink(server, bare)
  const message = frame('text', KEY.slice(0, -1))
  upstream.write(message)
  expect((await client.read(message.byteLength)).equals(message)).toBe(true)
})

test('a frame that is too long for an error goes on as it comes, and so does one that breaks off', async () => {
  const { server, bare } = await start()
  const { client, upstream } = await openLink(server, bare)
  const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 2, 0, 0])
  const payload = Buffer.alloc(0x20000, KEY)
  upstream.write(Buffer.concat([head, payload.subarray(0, 100)]))
  expect((await client.read(110)).equals(Buffer.concat([head, payload.subarray(0, 100)]))).toBe(true)
  upstream.write(Buffer.concat([payload.subarray(100), ERRORS[0] ?? Buffer.alloc(0)]))
  const rest = await client.read(payload.byteLength - 100 + (ERRORS[0]?.byteLength ?? 0))
  expect(rest.equals(Buffer.concat([payload.subarray(100), hidden(ERRORS[0] ?? Buffer.alloc(0))]))).toBe(true)
  const cut = frame('text', 'a message that breaks off').subarray(0, 9)
  upstream.write(cut)
  upstream.socket.end()
  expect((await client.readToEnd()).equals(cut)).toBe(true)
})

test("compression is not offered to the upstream where the server's key is spent: nothing could be hidden in it", async () => {
  const { server, bare } = await start([
    ['Sec-WebSocket-Extensions', 'permessage-deflate'],
    ['X-Kept', '1'],
  ])
  await server.open()
  const upstream = await bare.accept()
  const head = await upstream.readHead()
  expect(head).not.toMatch(/extensions/i)
  expect(head).toContain('X-Kept: 1')
  upstream.write(SWITCH)
})
