/**
 * Gives a body twice, and each reader chunks of its own: the runtime's `tee` gives both the very same ones. A chunk is read when
 * either wants it, and waits for the other.
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
  const tell = (act: (one: ReadableStreamDefaultController<Uint8Array>) => void): void => {
    for (const one of readers) act(one)
  }
  const read = async (): Promise<void> => {
    try {
      const { value } = await reader.read()
      if (value === undefined) return tell((one) => one.close())
      // All of them before anybody has the first: a copy is that of what came.
      const chunks = [...readers].map((one, index) => [one, index === 0 ? value : value.slice()] as const)
      for (const [one, chunk] of chunks) one.enqueue(chunk)
    } catch {
      // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
      tell((one) => one.error(undefined))
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
