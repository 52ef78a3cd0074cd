import { afterEach, expect, test } from 'bun:test'
import { closeFrame } from '../helpers/websocket-peer.ts'
import {
  type BareUpstream,
  openLink,
  type RelayOverrides,
  type RelayServer,
  startBareUpstream,
  startRelayServer,
} from '../helpers/websocket-rig.ts'

const open: { close: () => void }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function start(overrides?: RelayOverrides): Promise<{ server: RelayServer; bare: BareUpstream }> {
  const bare = await startBareUpstream()
  const server = await startRelayServer(bare.url, overrides)
  open.push(server, bare)
  return { server, bare }
}

test('an upstream that ends, ends the client behind its last byte, and the client may still finish what it says', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  const bytes = closeFrame(1000, 'bye')
  upstream.socket.end(bytes)
  expect(await client.readToEnd()).toEqual(bytes)
  client.socket.end('last words')
  expect((await upstream.readToEnd()).toString()).toBe('last words')
  expect(await outcome).toMatchObject({ kind: 'complete', status: 101, bytesIn: 10, bytesOut: bytes.byteLength })
})

test('a client that ends, ends upstream behind its last byte, and upstream may still finish what it says', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  client.socket.end('over')
  expect((await upstream.readToEnd()).toString()).toBe('over')
  upstream.socket.end('and out')
  expect((await client.readToEnd()).toString()).toBe('and out')
  expect(await outcome).toMatchObject({ kind: 'complete', bytesIn: 4, bytesOut: 7 })
})

test('a client that resets takes upstream with it at once', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  const leftAt = performance.now()
  client.socket.resetAndDestroy()
  await upstream.ended
  upstream.socket.destroy()
  expect(performance.now() - leftAt).toBeLessThan(500)
  expect(await outcome).toMatchObject({ kind: 'cancelled', answered: true, status: 101 })
})

test('a client that resets takes a flooding upstream with it at once', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  client.socket.pause()
  const chunk = Buffer.alloc(1024 * 1024)
  for (let sent = 0; sent < 16; sent += 1) upstream.write(chunk)
  await new Promise<void>((resolve) => void client.socket.once('readable', () => resolve()))
  client.socket.resetAndDestroy()
  await upstream.closed
  expect(await outcome).toMatchObject({ kind: 'cancelled' })
})

test('an upstream that resets closes the client, and the outcome has the cause', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.write('part')
  await client.read(4)
  upstream.socket.resetAndDestroy()
  await client.ended
  expect(await outcome).toMatchObject({
    kind: 'failed',
    answered: true,
    status: 101,
    bytesOut: 4,
    cause: { code: 'ECONNRESET' },
  })
})

test('a close code reaches a client that is still speaking when upstream is gone', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  client.socket.pause()
  const bytes = closeFrame(4001, 'too much')
  upstream.socket.end(bytes, () => upstream.socket.destroy())
  await upstream.closed
  for (let sent = 0; sent < 50; sent += 1) client.write(Buffer.alloc(1000))
  client.socket.resume()
  expect(await client.readToEnd()).toEqual(bytes)
  client.socket.end()
  expect(await outcome).toMatchObject({ kind: 'complete' })
})

test('silence is not cut while both are open, and half of a WebSocket has the idle time to end', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 50, idleMs: 100 } })
  const { client, upstream, outcome } = await openLink(server, bare)
  await Bun.sleep(300)
  upstream.write('still here')
  expect((await client.read(10)).toString()).toBe('still here')
  upstream.socket.end()
  await client.ended
  expect(await outcome).toMatchObject({ kind: 'complete' })
})
