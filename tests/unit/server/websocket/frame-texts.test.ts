import { expect, test } from 'bun:test'
import { FrameTexts } from '../../../../src/server/websocket/frame-texts.ts'

/** A frame of a server: its first byte, its length in the shortest form, its payload. */
function frame(first: number, payload: Uint8Array): Uint8Array {
  const { byteLength: size } = payload
  if (size < 126) return Buffer.concat([Uint8Array.of(first, size), payload])
  if (size < 65_536) return Buffer.concat([Uint8Array.of(first, 126, size >> 8, size & 0xff), payload])
  return Buffer.concat([Uint8Array.of(first, 127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 0xff, size & 0xff), payload])
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const TEXTS = ['{"a":"世界"}', 'x'.repeat(300), 'y'.repeat(70_000), '', 'last']
/** Texts of every form of length among frames that are passed over: binary, ping, a part of a message, a masked one, and one that is too long. */
const STREAM = Buffer.concat([
  frame(0x81, bytesOf('{"a":"世界"}')),
  frame(0x82, bytesOf('binary')),
  frame(0x81, bytesOf('x'.repeat(300))),
  frame(0x89, bytesOf('ping')),
  frame(0x81, new Uint8Array(1024 * 1024 + 1)),
  frame(0x81, bytesOf('y'.repeat(70_000))),
  frame(0x01, bytesOf('a part')),
  frame(0x80, bytesOf('the rest')),
  frame(0x81, bytesOf('')),
  Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 5, 6),
  frame(0x81, bytesOf('last')),
])

test.each([1, 2, 7, 1000, 65_536, STREAM.byteLength])(
  'texts are read whole from chunks of %d bytes, and all else is passed over',
  (size) => {
    const seen: string[] = []
    const texts = new FrameTexts((text) => seen.push(text))
    for (let at = 0; at < STREAM.byteLength; at += size) {
      const chunk = new Uint8Array(STREAM.subarray(at, at + size))
      texts.add(chunk)
      // A socket may use its memory again.
      chunk.fill(0)
    }
    expect(seen).toEqual(TEXTS)
  },
)
