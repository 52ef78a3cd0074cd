import { expect, test } from 'bun:test'
import { closeFrame, textFrame } from '../../../../src/server/websocket/make-frame.ts'
import { ServerMessages } from '../../../../src/server/websocket/server-messages.ts'

/** A frame of a server: its first byte, its length in the shortest form, its payload. */
function frame(first: number, payload: Uint8Array): Uint8Array {
  const { byteLength: size } = payload
  if (size < 126) return Buffer.concat([Uint8Array.of(first, size), payload])
  if (size < 65_536) return Buffer.concat([Uint8Array.of(first, 126, size >> 8, size & 0xff), payload])
  return Buffer.concat([
    Uint8Array.of(first, 127, 0, 0, 0, 0, size >> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff),
    payload,
  ])
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const TEXTS = ['{"a":"世界"}', 'x'.repeat(300), 'y'.repeat(70_000), 'a part and the rest', '', 'last']
const TOO_LONG = frame(0x81, new Uint8Array(16 * 1024 * 1024 + 1))
/** Texts of every form of length, one of them in parts around a ping, among frames that are passed over: binary, ping, compressed, masked, too long. */
const STREAM = Buffer.concat([
  frame(0x81, bytesOf('{"a":"世界"}')),
  frame(0x82, bytesOf('binary')),
  frame(0x81, bytesOf('x'.repeat(300))),
  frame(0x89, bytesOf('ping')),
  frame(0x81, bytesOf('y'.repeat(70_000))),
  frame(0x01, bytesOf('a part')),
  frame(0x89, bytesOf('ping')),
  frame(0x00, bytesOf(' and')),
  frame(0x80, bytesOf(' the rest')),
  frame(0xc1, bytesOf('compressed')),
  frame(0x81, bytesOf('')),
  Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 5, 6),
  frame(0x81, bytesOf('last')),
])

function feed(messages: ServerMessages, stream: Uint8Array, size: number): Buffer {
  const out: Uint8Array[] = []
  for (let at = 0; at < stream.byteLength; at += size) {
    const chunk = new Uint8Array(stream.subarray(at, at + size))
    out.push(new Uint8Array(messages.add(chunk)))
    // A socket may use its memory again.
    chunk.fill(0)
  }
  return Buffer.concat(out)
}

test.each([1, 2, 7, 1000, 65_536, STREAM.byteLength])(
  'texts are read whole from chunks of %d bytes, all else is passed over, and every byte goes on as it came',
  (size) => {
    const seen: string[] = []
    const passed = feed(new ServerMessages((text) => seen.push(text)), STREAM, size)
    expect(seen).toEqual(TEXTS)
    expect(passed.equals(STREAM)).toBe(true)
  },
)

test('a message that is too long is passed over, and the next one is read', () => {
  const seen: string[] = []
  feed(new ServerMessages((text) => seen.push(text)), Buffer.concat([TOO_LONG, frame(0x81, bytesOf('next'))]), 1 << 20)
  expect(seen).toEqual(['next'])
})

test.each([1, 5, 1000])('a frame of this server’s own never stands within a message (chunks of %d bytes)', (size) => {
  const message = Buffer.concat([frame(0x01, bytesOf('one ')), frame(0x80, bytesOf('two'))])
  const seen: string[] = []
  const messages = new ServerMessages((text) => {
    seen.push(text)
    if (seen.length === 1) messages.inject(textFrame('ours'))
  })
  const passed = feed(messages, Buffer.concat([message, message]), size)
  expect(passed.equals(Buffer.concat([message, textFrame('ours'), message]))).toBe(true)
})

test('between messages it goes out at once, in the middle of one behind it, and nothing follows a close', () => {
  const messages = new ServerMessages(() => undefined)
  const out: Uint8Array[] = []
  messages.onBytes = (bytes) => out.push(bytes)
  messages.inject(textFrame('at once'))
  expect(Buffer.concat(out).equals(textFrame('at once'))).toBe(true)
  const whole = frame(0x81, bytesOf('hello'))
  messages.add(whole.subarray(0, 3))
  messages.close(closeFrame(1008, 'why'))
  messages.inject(textFrame('too late'))
  expect(out).toHaveLength(1)
  const rest = messages.add(Buffer.concat([whole.subarray(3), whole]))
  expect(Buffer.from(rest).equals(Buffer.concat([whole.subarray(3), closeFrame(1008, 'why')]))).toBe(true)
  expect(messages.isOver).toBe(true)
})

test.each([0, 125, 126, 65_535, 65_536])('a text of %d bytes is framed so that it is read back', (size) => {
  const seen: string[] = []
  new ServerMessages((text) => seen.push(text)).add(textFrame('x'.repeat(size)))
  expect(seen).toEqual(['x'.repeat(size)])
})
