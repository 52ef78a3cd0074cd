import { isErrorUnit } from '../../answers/error-units.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import type { Mask } from '../../upstream/mask.ts'
import { FRAME_KINDS, type FrameHead, frameAt } from './frame-head.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The longest frame that is held: no error is longer. */
const FRAME_BYTES_MAX = 64 * 1024
const NOTHING = new Uint8Array()
const CLOSE_CODE_BYTES = 2
const { TEXT, BINARY, CLOSE } = FRAME_KINDS

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

  #masked(frame: Bytes, { kind, payloadAt }: FrameHead): Bytes {
    if (kind !== TEXT && kind !== BINARY && kind !== CLOSE) return frame
    const payload = frame.subarray(kind === CLOSE ? payloadAt + CLOSE_CODE_BYTES : payloadAt)
    const masked = this.#mask.bytes(payload)
    if (masked === payload || (kind !== CLOSE && !isErrorUnit(payload, 'whole'))) return frame
    return joinBytes([frame.subarray(0, frame.byteLength - payload.byteLength), masked])
  }
}
