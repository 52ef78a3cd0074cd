import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { type FrameHead, frameAt } from './frame-head.ts'
import type { ByteFilter } from './pour.ts'

/** A longer message is passed over. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024
const HEAD_BYTES_MAX = 14
const [LAST, RESERVED, KIND, TEXT, CONTROL_MIN] = [0x80, 0x70, 0x0f, 1, 8]
const NOTHING = new Uint8Array()
const DECODER = new TextDecoder()

/**
 * Reads the upstream's text messages while their bytes pass, uncompressed ones of up to 16 MiB, in one frame or several. Nothing is held back or
 * changed; frames of this server's own can be put between two messages.
 *
 * @example
 * const messages = new ServerMessages((text) => session.hear(text), masking)
 * messages.inject(textFrame('{"type":"error"}'))
 */
export class ServerMessages implements ByteFilter {
  onBytes: ((bytes: Uint8Array) => void) | undefined
  isOver = false
  readonly #onText: (text: string) => void
  readonly #masking: ByteFilter | undefined
  /** The beginning of a frame whose head is not complete. */
  readonly #head = new Uint8Array(HEAD_BYTES_MAX)
  #headBytes = 0
  #frame: FrameHead | undefined
  /** The bytes that are left of the frame's payload. */
  #left = 0
  /** Whether the next data frame begins a message, and whether the message under way is one to read. */
  #isBetween = true
  #isRead = false
  #parts: Uint8Array[] = []
  #partBytes = 0
  #isWalking = false
  #isClosing = false
  #pending: Uint8Array[] = []

  /** `masking` gets all bytes behind this. */
  constructor(onText: (text: string) => void, masking?: ByteFilter) {
    this.#onText = onText
    this.#masking = masking
  }

  add(chunk: Uint8Array): Uint8Array {
    if (this.isOver) return NOTHING
    const ready: Uint8Array[] = []
    if (this.#pending.length > 0 && this.#canInject) ready.push(...this.#takePending())
    let from = 0
    this.#isWalking = true
    for (let at = 0; at < chunk.byteLength && !this.isOver; ) {
      at = this.#frame === undefined ? this.#readHead(chunk, at) : this.#readPayload(chunk, at)
      if (this.#frame === undefined || this.#left > 0) continue
      this.#endFrame()
      if (this.#pending.length === 0 || !this.#canInject) continue
      ready.push(chunk.subarray(from, at), ...this.#takePending())
      from = at
    }
    this.#isWalking = false
    if (!this.isOver) ready.push(chunk.subarray(from))
    const bytes = ready.length === 1 && ready[0] !== undefined ? ready[0] : joinBytes(ready)
    return this.#masking === undefined ? bytes : this.#masking.add(bytes)
  }

  end(): Uint8Array {
    return this.#masking?.end() ?? NOTHING
  }

  /** Puts a frame behind the message that is under way. */
  inject(frame: Uint8Array): void {
    if (this.isOver || this.#isClosing) return
    this.#pending.push(frame)
    if (this.#isWalking || !this.#canInject || this.onBytes === undefined) return
    const bytes = joinBytes(this.#takePending())
    this.onBytes(this.#masking === undefined ? bytes : this.#masking.add(bytes))
  }

  /** Ends the messages with a frame: nothing of the upstream's goes on behind it. */
  close(frame: Uint8Array): void {
    if (this.#isClosing) return
    this.inject(frame)
    this.#isClosing = true
    if (this.#pending.length > 0) return
    this.isOver = true
    this.onBytes?.(NOTHING)
  }

  get #canInject(): boolean {
    return this.#isBetween && this.#frame === undefined && this.#headBytes === 0
  }

  #takePending(): Uint8Array[] {
    const frames = this.#pending
    this.#pending = []
    this.isOver = this.#isClosing
    return frames
  }

  /** Reads the head of a frame, all of which stands in the chunk as a rule; gives where its payload begins, or the chunk ends. */
  #readHead(chunk: Uint8Array, at: number): number {
    if (this.#headBytes === 0) {
      const frame = frameAt(chunk, at)
      if (frame !== undefined && at + frame.payloadAt <= chunk.byteLength) {
        this.#begin(frame)
        return at + frame.payloadAt
      }
    }
    this.#head[this.#headBytes] = chunk[at] ?? 0
    this.#headBytes += 1
    const frame = frameAt(this.#head.subarray(0, this.#headBytes), 0)
    if (frame !== undefined && frame.payloadAt === this.#headBytes) this.#begin(frame)
    return at + 1
  }

  #begin(frame: FrameHead): void {
    this.#frame = frame
    this.#headBytes = 0
    this.#left = frame.bytes - frame.payloadAt
    const kind = frame.first & KIND
    if (kind >= CONTROL_MIN) return
    if (this.#isBetween) this.#isRead = kind === TEXT && frame.maskAt === -1 && (frame.first & RESERVED) === 0
    this.#isBetween = false
    if (this.#partBytes + this.#left > TEXT_BYTES_MAX) this.#drop()
  }

  #readPayload(chunk: Uint8Array, at: number): number {
    const end = at + Math.min(this.#left, chunk.byteLength - at)
    this.#left -= end - at
    if (this.#isRead && ((this.#frame?.first ?? 0) & KIND) < CONTROL_MIN) {
      const isWhole = this.#left === 0 && this.#partBytes === 0
      // The bytes are the socket's, which may use them again.
      this.#parts.push(isWhole ? chunk.subarray(at, end) : new Uint8Array(chunk.subarray(at, end)))
      this.#partBytes += end - at
    }
    return end
  }

  #endFrame(): void {
    const first = this.#frame?.first ?? 0
    this.#frame = undefined
    if ((first & KIND) >= CONTROL_MIN) return
    if ((first & LAST) === 0) {
      this.#parts = this.#parts.map((part) => new Uint8Array(part))
      return
    }
    this.#isBetween = true
    const [only, ...more] = this.#parts
    const isRead = this.#isRead
    const bytes = only !== undefined && more.length === 0 ? only : joinBytes(this.#parts)
    this.#drop()
    if (isRead) this.#onText(DECODER.decode(bytes))
  }

  #drop(): void {
    this.#isRead = false
    this.#parts = []
    this.#partBytes = 0
  }
}
