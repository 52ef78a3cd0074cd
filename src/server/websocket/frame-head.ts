/** First bytes of a whole text message, a whole binary message and a close frame, uncompressed (RFC 6455 §5.2). */
export const FRAME_KINDS = { TEXT: 0x81, BINARY: 0x82, CLOSE: 0x88 } as const

const [LENGTH_16, LENGTH_64] = [126, 127]

/** The head of a WebSocket's frame. */
export interface FrameHead {
  /** Its first byte; 0: it is masked, as only clients' are. */
  readonly kind: number
  /** Its first byte, masked or not. */
  readonly first: number
  /** Where the four bytes stand that its payload is masked by; -1: it is not masked. */
  readonly maskAt: number
  /** Where its payload begins, from its own beginning on. */
  readonly payloadAt: number
  /** Of the whole frame. */
  readonly bytes: number
}

/**
 * Reads the head of the frame that begins at `at`; undefined: the head is not complete.
 *
 * @example
 * const frame = frameAt(bytes, 0)
 */
export function frameAt(bytes: Uint8Array, at: number): FrameHead | undefined {
  const [first, second] = [bytes[at], bytes[at + 1]]
  if (first === undefined || second === undefined) return undefined
  // Only clients mask (§5.1): kind 0 passes a masked frame on as it is.
  const isMasked = second >= 0x80
  const short = second % 0x80
  const lengthBytes = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0
  const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (at + 2 + lengthBytes > bytes.byteLength) return undefined
  let payloadBytes = lengthBytes === 0 ? short : 0
  for (const byte of bytes.subarray(at + 2, at + 2 + lengthBytes)) payloadBytes = payloadBytes * 256 + byte
  const maskAt = isMasked ? 2 + lengthBytes : -1
  return { kind: isMasked ? 0 : first, first, maskAt, payloadAt, bytes: payloadAt + payloadBytes }
}
