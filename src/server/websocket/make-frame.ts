import { FRAME_KINDS } from './frame-head.ts'

const TO_BYTES = new TextEncoder()
const [SHORT_MAX, MEDIUM_MAX] = [125, 0xffff]
const CLOSE_CODE_BYTES = 2

/**
 * Makes a server's frame of a whole text message (RFC 6455 §5.2).
 *
 * @example
 * messages.inject(textFrame('{"type":"error"}'))
 */
export function textFrame(text: string): Uint8Array {
  const payload = TO_BYTES.encode(text)
  const { byteLength } = payload
  const head = new DataView(new ArrayBuffer(byteLength <= SHORT_MAX ? 2 : byteLength <= MEDIUM_MAX ? 4 : 10))
  head.setUint8(0, FRAME_KINDS.TEXT)
  head.setUint8(1, byteLength <= SHORT_MAX ? byteLength : byteLength <= MEDIUM_MAX ? 126 : 127)
  if (byteLength > MEDIUM_MAX) head.setBigUint64(2, BigInt(byteLength))
  else if (byteLength > SHORT_MAX) head.setUint16(2, byteLength)
  const frame = new Uint8Array(head.byteLength + byteLength)
  frame.set(new Uint8Array(head.buffer))
  frame.set(payload, head.byteLength)
  return frame
}

/** Makes a server's close frame. The reason is of ASCII, and cut to what such a frame can hold (RFC 6455 §5.5). */
export function closeFrame(code: number, reason: string): Uint8Array {
  const text = TO_BYTES.encode(reason).subarray(0, SHORT_MAX - CLOSE_CODE_BYTES)
  return Uint8Array.of(FRAME_KINDS.CLOSE, CLOSE_CODE_BYTES + text.byteLength, code >> 8, code & 0xff, ...text)
}
