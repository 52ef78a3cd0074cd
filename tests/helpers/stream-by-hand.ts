/** A stream whose chunks a test gives, one by one. */
export interface StreamByHand {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>
  /** The reasons for which it was cancelled. */
  readonly cancelled: readonly unknown[]
  readonly give: (chunk: string | Uint8Array) => void
  readonly end: () => void
  readonly breakOff: (cause?: unknown) => void
}

/** Makes a stream that gives what it is told to, at once, and tells whether it was cancelled. */
export function streamByHand(): StreamByHand {
  const cancelled: unknown[] = []
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(one) {
      controller = one
    },
    cancel: (reason) => void cancelled.push(reason),
  })
  return {
    stream,
    cancelled,
    give: (chunk) => controller?.enqueue(new Uint8Array(Buffer.from(chunk as string))),
    end: () => controller?.close(),
    breakOff: (cause) => controller?.error(cause),
  }
}
