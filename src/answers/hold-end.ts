import { ignoreRejection } from '../formats/ignore-rejection.ts'

/**
 * Passes a body on as it comes, but its end, which waits for something: the client may go by what that brings as soon as it has
 * the whole body.
 *
 * A source that fails makes the body fail, too.
 *
 * @example
 * const shown = holdEnd(body, () => remembering)
 */
export function holdEnd(source: ReadableStream<Uint8Array>, before: () => Promise<void>): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) {
            controller.enqueue(value)
            return
          }
          await before()
          controller.close()
        } catch {
          // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
          controller.error(undefined)
        }
      },
      cancel: (reason) => ignoreRejection(reader.cancel(reason)),
    },
    { highWaterMark: 0 },
  )
}
