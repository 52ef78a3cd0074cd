/** Pieces that go out together: in one system call, and usually in one packet. */
export interface Frame {
  /** Adds a text: each character is one byte. */
  text(text: string): void
  bytes(bytes: Uint8Array): void
  /** Returns whether the system has taken all of it. */
  send(): boolean
}

/** The buffer of small frames. The system has copied it when a write returns, so all connections share one. */
const SCRATCH = Buffer.allocUnsafe(64 * 1024)

/** The socket that a frame is sent to. */
export interface FrameTarget {
  /** Writes bytes; they must not be changed afterwards. */
  write(bytes: Uint8Array): boolean
  /** Writes the first bytes of a buffer that is used again. */
  writeScratch(scratch: Buffer, length: number): boolean
}

/**
 * Opens a frame of a size that is known beforehand. A small frame is put together in a buffer that is used again; the
 * pieces of a large frame go out one by one, because copying them would cost more than it saves.
 */
export function openFrame(target: FrameTarget, bytesMax: number): Frame {
  if (bytesMax > SCRATCH.byteLength) return new LargeFrame(target)
  SMALL.open(target)
  return SMALL
}

/** The one small frame, as there is one buffer: it is put together and sent before anything else runs. */
class SmallFrame implements Frame {
  #target: FrameTarget | undefined
  #length = 0

  open(target: FrameTarget): void {
    this.#target = target
    this.#length = 0
  }

  text(text: string): void {
    this.#length += SCRATCH.write(text, this.#length, 'latin1')
  }

  bytes(bytes: Uint8Array): void {
    SCRATCH.set(bytes, this.#length)
    this.#length += bytes.byteLength
  }

  send(): boolean {
    const target = this.#target
    this.#target = undefined
    return target === undefined || this.#length === 0 || target.writeScratch(SCRATCH, this.#length)
  }
}

const SMALL = new SmallFrame()

class LargeFrame implements Frame {
  readonly #target: FrameTarget
  #isTaken = true

  constructor(target: FrameTarget) {
    this.#target = target
  }

  text(text: string): void {
    this.bytes(Buffer.from(text, 'latin1'))
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#isTaken = this.#target.write(bytes)
  }

  send(): boolean {
    return this.#isTaken
  }
}
