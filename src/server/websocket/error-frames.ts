import { isErrorUnit } from '../../answers/error-units.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import type { Mask } from '../../upstream/mask.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The longest frame that is held: no error is longer. */
const FRAME_BYTES_MAX = 64 * 1024
const NOTHING = new Uint8Array()
/** First bytes of a whole text message, a whole binary message and a close frame, uncompressed (RFC 6455 §5.2). */
const [TEXT, BINARY, CLOSE] = [0x81, 0x82, 0x88]
const [LENGTH_16, LENGTH_64] = [126, 127]
const CLOSE_CODE_BYTES = 2

interface Frame {
  readonly kind: number
  readonly payloadAt: number
  readonly bytes: number
}

/**
 * Puts stars over secrets in the upstream's messages that report a failure, and in the reason of its close frame. A secret gets as many
 * stars as it has bytes, so that frames keep their lengths. All other bytes are unchanged: a frame of up to 64 KiB passes when it is
 * complete, a longer one at once.
 *
 * @example
 * const frames = new ErrorFrames(mask)
 * client.write(frames.add(chunk))
 */
export class ErrorFrames {
  readonly #mask: Mask
  #held: Bytes = NOTHING
  /** The bytes that are left of a long frame. */
  #passing = 0

  constructor(mask: Mask) {
    this.#mask = mask
  }

  /** Takes a chunk, and gives the bytes that can go on now, which may be none. */
  add(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.byteLength === 0 ? (chunk as Bytes) : joinBytes([this.#held, chunk])
    this.#held = NOTHING
    const ready: Uint8Array[] = []
    for (let at = 0; at < bytes.byteLength; ) {
      const frame = this.#passing > 0 ? undefined : frameAt(bytes, at)
      if (frame !== undefined && frame.bytes > FRAME_BYTES_MAX) this.#passing = frame.bytes
      const size = this.#passing > 0 ? Math.min(this.#passing, bytes.byteLength - at) : frame?.bytes
      if (size === undefined || at + size > bytes.byteLength) {
        this.#held = bytes.slice(at)
        break
      }
      const part = bytes.subarray(at, at + size)
      if (this.#passing > 0) this.#passing -= size
      ready.push(frame === undefined || frame.bytes > FRAME_BYTES_MAX ? part : this.#masked(part, frame))
      at += size
    }
    return ready.length === 1 && ready[0] !== undefined ? ready[0] : joinBytes(ready)
  }

  /** Gives the bytes of a frame that will not come to its end. */
  end(): Uint8Array {
    const held = this.#held
    this.#held = NOTHING
    return this.#mask.bytes(held)
  }

  #masked(frame: Bytes, { kind, payloadAt }: Frame): Bytes {
    if (kind !== TEXT && kind !== BINARY && kind !== CLOSE) return frame
    const payload = frame.subarray(kind === CLOSE ? payloadAt + CLOSE_CODE_BYTES : payloadAt)
    const masked = this.#mask.bytes(payload)
    if (masked === payload || (kind !== CLOSE && !isErrorUnit(payload, 'whole'))) return frame
    return joinBytes([frame.subarray(0, frame.byteLength - payload.byteLength), masked])
  }
}

/** Reads the head of the frame that begins at `at`; undefined: the head is not complete. */
function frameAt(bytes: Bytes, at: number): Frame | undefined {
  const [kind, second] = [bytes[at], bytes[at + 1]]
  if (kind === undefined || second === undefined) return undefined
  // Only clients mask (§5.1): kind 0 passes a masked frame on as it is.
  const isMasked = second >= 0x80
  const short = second % 0x80
  const lengthBytes = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0
  const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (at + 2 + lengthBytes > bytes.byteLength) return undefined
  let payloadBytes = lengthBytes === 0 ? short : 0
  for (const byte of bytes.subarray(at + 2, at + 2 + lengthBytes)) payloadBytes = payloadBytes * 256 + byte
  return { kind: isMasked ? 0 : kind, payloadAt, bytes: payloadAt + payloadBytes }
}
