import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { FRAME_KINDS, frameAt } from './frame-head.ts'

/** A longer frame is passed over: what tells usage is shorter. */
const FRAME_BYTES_MAX = 1024 * 1024
const DECODER = new TextDecoder()

/**
 * Reads the upstream's text messages while their bytes pass: whole ones, uncompressed, of up to 1 MiB. Nothing is held back or changed.
 *
 * @example
 * const texts = new FrameTexts((text) => book(text))
 * texts.add(chunk)
 */
export class FrameTexts {
  readonly #onText: (text: string) => void
  /** The parts of a frame that is not complete yet. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  /** The bytes that the frame needs before it is looked at again. */
  #wanted = 0
  /** The bytes that are left of a frame that is passed over. */
  #passing = 0

  constructor(onText: (text: string) => void) {
    this.#onText = onText
  }

  /** Takes the next bytes. */
  add(chunk: Uint8Array): void {
    this.#partBytes += chunk.byteLength
    if (this.#partBytes < this.#wanted) {
      // The bytes are the socket's, which may use them again.
      this.#parts.push(new Uint8Array(chunk))
      return
    }
    const bytes = this.#parts.length === 0 ? chunk : joinBytes([...this.#parts, chunk])
    let at = 0
    for (let wanted = 0; wanted === 0 && at < bytes.byteLength; ) {
      const skipped = Math.min(this.#passing, bytes.byteLength - at)
      this.#passing -= skipped
      at += skipped
      const frame = frameAt(bytes, at)
      if (frame === undefined) wanted = bytes.byteLength - at + 1
      else if (frame.bytes > FRAME_BYTES_MAX) this.#passing = frame.bytes
      else if (at + frame.bytes > bytes.byteLength) wanted = frame.bytes
      else {
        if (frame.kind === FRAME_KINDS.TEXT) {
          this.#onText(DECODER.decode(bytes.subarray(at + frame.payloadAt, at + frame.bytes)))
        }
        at += frame.bytes
      }
      this.#wanted = wanted
    }
    this.#parts = at < bytes.byteLength ? [new Uint8Array(bytes.subarray(at))] : []
    this.#partBytes = bytes.byteLength - at
    if (this.#partBytes === 0) this.#wanted = 0
  }
}
