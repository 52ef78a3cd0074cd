import type { KeptChunks } from './kept-chunks.ts'

/** How the source of a broadcast ends: properly, or with all of the answer; by breaking off; or because nobody reads it any more. */
export type SourceEnd = 'complete' | 'broken' | 'cancelled'

/** The part of a broadcast that its readers use. */
interface ReaderEvents {
  /** The reader wants its next chunk; the promise resolves when it has got one, or its body has ended. */
  readonly onPull: (reader: BroadcastReader) => Promise<void> | undefined
  readonly onLeave: (reader: BroadcastReader, reason: unknown) => void
}

/** One reader of a broadcast. It gets the whole body from its start, at its own pace. */
export class BroadcastReader {
  /** The body, for whoever reads it. It breaks off when the reader's signal is aborted. */
  readonly stream: ReadableStream<Uint8Array>
  readonly #stopListening: () => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #next = 0
  /** Ends its wait for a chunk; undefined: it is not waiting. */
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal, { onPull, onLeave }: ReaderEvents) {
    const onAbort = (): void => {
      this.#controller?.error(signal.reason)
      onLeave(this, signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#stopListening = () => signal.removeEventListener('abort', onAbort)
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => onPull(this),
        cancel: (reason) => onLeave(this, reason),
      },
      { highWaterMark: 0 },
    )
  }

  /** The number of its next chunk, counted from the body's start. */
  get next(): number {
    return this.#next
  }

  get isWaiting(): boolean {
    return this.#wake !== undefined
  }

  /** Resolves when `wake` is called. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** Gives it its next chunk; false: that has not come. */
  give(kept: KeptChunks): boolean {
    const bytes = kept.at(this.#next)
    if (bytes === undefined) return false
    this.#next += 1
    this.#controller?.enqueue(bytes)
    return true
  }

  /** Ends its body as the source has ended. */
  end(end: SourceEnd, cause: unknown): void {
    if (end === 'complete') this.#controller?.close()
    else this.#controller?.error(cause)
  }

  /** Its signal no longer matters. */
  release(): void {
    this.#stopListening()
  }
}
