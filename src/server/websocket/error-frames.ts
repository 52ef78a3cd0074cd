import { isErrorUnit } from '../../answers/error-units.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import type { Stars } from '../../upstream/stars.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** No error is longer: of such a frame nothing is held. */
const FRAME_BYTES_MAX = 64 * 1024
const NOTHING = new Uint8Array()
/** A whole message in text, one in bytes, and a close (RFC 6455 §5.2): none that is compressed. */
const [TEXT, BINARY, CLOSE] = [0x81, 0x82, 0x88]
const [LENGTH_16, LENGTH_64] = [126, 127]
const CLOSE_CODE_BYTES = 2

interface Frame {
  readonly kind: number
  readonly payloadAt: number
  readonly bytes: number
}

/**
 * Puts stars over the secrets in those messages of an upstream that report a failure, and in the reason that it closes with; as many as
 * what they hide, so that frames stay what they are. All else is what came: a frame of up to 64 KiB as soon as it is there in full, a
 * longer one at once.
 *
 * @example
 * const frames = new ErrorFrames(mask.stars)
 * client.write(frames.add(chunk))
 */
export class ErrorFrames {
  readonly #stars: Stars
  #held: Bytes = NOTHING
  /** What is left of a long frame. */
  #passing = 0

  constructor(stars: Stars) {
    this.#stars = stars
  }

  /** Takes a chunk, and gives what can go on now, which may be nothing. */
  add(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.byteLength === 0 ? (chunk as Bytes) : joinBytes([this.#held, chunk])
    this.#held = NOTHING
    const shown: Uint8Array[] = []
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
      shown.push(frame === undefined || frame.bytes > FRAME_BYTES_MAX ? part : this.#shown(part, frame))
      at += size
    }
    return shown.length === 1 && shown[0] !== undefined ? shown[0] : joinBytes(shown)
  }

  /** What there is of a frame that will not come to its end. */
  end(): Uint8Array {
    const held = this.#held
    this.#held = NOTHING
    return this.#stars.bytes(held)
  }

  #shown(frame: Bytes, { kind, payloadAt }: Frame): Bytes {
    if (kind !== TEXT && kind !== BINARY && kind !== CLOSE) return frame
    const payload = frame.subarray(kind === CLOSE ? payloadAt + CLOSE_CODE_BYTES : payloadAt)
    const starred = this.#stars.bytes(payload)
    if (starred === payload || (kind !== CLOSE && !isErrorUnit(payload, 'whole'))) return frame
    return joinBytes([frame.subarray(0, frame.byteLength - payload.byteLength), starred])
  }
}

/** The frame that begins there, as its head says; undefined: that is not there in full. */
function frameAt(bytes: Bytes, at: number): Frame | undefined {
  const [kind, second] = [bytes[at], bytes[at + 1]]
  if (kind === undefined || second === undefined) return undefined
  // Only clients mask (§5.1): what does it all the same is passed over.
  const isMasked = second >= 0x80
  const short = second % 0x80
  const lengthBytes = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0
  const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (at + 2 + lengthBytes > bytes.byteLength) return undefined
  let payloadBytes = lengthBytes === 0 ? short : 0
  for (const byte of bytes.subarray(at + 2, at + 2 + lengthBytes)) payloadBytes = payloadBytes * 256 + byte
  return { kind: isMasked ? 0 : kind, payloadAt, bytes: payloadAt + payloadBytes }
}
