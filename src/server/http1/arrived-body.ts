import type { TurnBody } from './turn.ts'

/** The body of a request that has come with its head, as most do. */
export class ArrivedBody implements TurnBody {
  /** That of a request without one. */
  static readonly NONE = new ArrivedBody(Buffer.alloc(0))
  readonly isComplete = true
  readonly isBeingRead = false
  readonly #bytes: Uint8Array<ArrayBuffer>

  constructor(bytes: Buffer) {
    this.#bytes = bytes as Uint8Array<ArrayBuffer>
  }

  get length(): number {
    return this.#bytes.byteLength
  }

  whole(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  stream(): ReadableStream<Uint8Array> {
    return new Blob([this.#bytes]).stream()
  }

  feed(bytes: Buffer): Buffer {
    return bytes
  }

  settle(): void {}

  fail(): void {}

  drop(): void {}

  onceOver(callback: () => void): void {
    callback()
  }
}
