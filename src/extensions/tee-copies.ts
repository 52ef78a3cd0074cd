/**
 * Makes two streams of one body, each with chunks of its own: the runtime's `tee` gives the same chunks to both. A chunk is read
 * when either reader wants it, and waits for the other one.
 *
 * @example
 * const [mine, copy] = teeCopies(response.body)
 */
export function teeCopies(
  source: ReadableStream<Uint8Array>,
): readonly [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>] {
  const reader = source.getReader()
  const readers = new Set<ReadableStreamDefaultController<Uint8Array>>()
  let reading: Promise<void> | undefined
  const forEachReader = (act: (one: ReadableStreamDefaultController<Uint8Array>) => void): void => {
    for (const one of readers) act(one)
  }
  const read = async (): Promise<void> => {
    try {
      const { value } = await reader.read()
      if (value === undefined) return forEachReader((one) => one.close())
      // All copies are made before the first reader can write into its chunk.
      const chunks = [...readers].map((one, index) => [one, index === 0 ? value : value.slice()] as const)
      for (const [one, chunk] of chunks) one.enqueue(chunk)
    } catch {
      // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
      forEachReader((one) => one.error(undefined))
    } finally {
      reading = undefined
    }
  }
  const branch = (): ReadableStream<Uint8Array> => {
    let own: ReadableStreamDefaultController<Uint8Array> | undefined
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          own = controller
          readers.add(controller)
        },
        pull() {
          reading ??= read()
          return reading
        },
        cancel(reason) {
          if (own !== undefined) readers.delete(own)
          return readers.size === 0 ? reader.cancel(reason) : undefined
        },
      },
      { highWaterMark: 0 },
    )
  }
  return [branch(), branch()]
}
