import { expect, test } from 'bun:test'
import { createDeadlines, type Deadlines } from '../../../../src/timing/deadlines.ts'
import { perTest } from '../../../helpers/per-test.ts'
import { closeFrame } from '../../../helpers/websocket-peer.ts'
import { openLink, startRelay } from '../../../helpers/websocket-relay.ts'
import { AT_ONCE_MS } from '../../../helpers/within.ts'

const start = perTest(startRelay)

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
  expect(performance.now() - leftAt).toBeLessThan(AT_ONCE_MS)
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

test('a client that is still speaking when upstream is gone is not reset before it has closed', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  let errors = 0
  let isOver = false
  client.socket.on('error', () => {
    errors += 1
  })
  const over = outcome.then((value) => {
    isOver = true
    return value
  })
  const bytes = closeFrame(4001, 'too much')
  upstream.socket.end(bytes, () => upstream.socket.destroy())
  expect(await client.readToEnd()).toEqual(bytes)
  for (let sent = 0; sent < 10; sent += 1) {
    client.write(Buffer.alloc(1000))
    await Bun.sleep(10)
  }
  expect({ errors, isOver }).toEqual({ errors: 0, isOver: false })
  client.socket.end()
  expect(await over).toMatchObject({ kind: 'complete' })
})

/** Clocks on which only the limits of this length ever run out, and soon. */
function only(limitMs: number): Deadlines {
  const clocks = createDeadlines()
  return { start: (ms, onExpire) => clocks.start(ms === limitMs ? 100 : 0, onExpire) }
}

test('a client that does not close is cut soon after upstream is gone', async () => {
  const { server, bare } = await start({ deadlines: only(2_000) })
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.end(() => upstream.socket.destroy())
  await client.ended
  client.write('to nobody')
  expect(await outcome).toMatchObject({ kind: 'complete' })
})

test('a half of a WebSocket in which nothing moves is cut after a minute', async () => {
  const { server, bare } = await start({ deadlines: only(60_000) })
  const { client, upstream, outcome } = await openLink(server, bare)
  upstream.socket.end()
  await client.ended
  expect(await outcome).toMatchObject({ kind: 'complete' })
})

test('no silence is cut while both sides are open, whatever the limits are', async () => {
  const clocks = createDeadlines()
  const { server, bare } = await start({ deadlines: { start: (_, onExpire) => clocks.start(100, onExpire) } })
  const { client, upstream } = await openLink(server, bare)
  client.write('hello?')
  await upstream.read(6)
  await Bun.sleep(300)
  upstream.write('still here')
  expect((await client.read(10)).toString()).toBe('still here')
})
