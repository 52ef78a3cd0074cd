import { expect, test } from 'bun:test'
import { PassThrough } from 'node:stream'
import { holdClient } from '../../../../src/server/websocket/hold-client.ts'

/** Resolves when what was written to a stream has been read off it. */
function settled(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (stream.readableLength === 0 || stream.isPaused()) resolve()
      else setImmediate(check)
    }
    setImmediate(check)
  })
}

test('what a held client sends is given back in order, once', async () => {
  const client = new PassThrough()
  const held = holdClient(client, Buffer.from('head '), () => undefined)
  client.write('one ')
  await settled(client)
  client.write('two')
  await settled(client)
  expect(Buffer.from(held.release()).toString()).toBe('head one two')
  expect(held.release()).toHaveLength(0)
})

test('a held client that sends too much is not read on until it is let go', async () => {
  const client = new PassThrough()
  const held = holdClient(client, new Uint8Array(), () => undefined)
  for (let sent = 0; sent < 64; sent += 1) client.write(Buffer.alloc(16 * 1024))
  await settled(client)
  expect(client.isPaused()).toBe(true)
  expect(held.release().byteLength).toBeLessThanOrEqual(128 * 1024)
  expect(client.isPaused()).toBe(false)
})

test('a client that was gone before it was held is reported', () => {
  let gone = 0
  const client = new PassThrough()
  client.destroy()
  holdClient(client, new Uint8Array(), () => {
    gone += 1
  })
  expect(gone).toBe(1)
})
