import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { Slice } from '../timing/slices.ts'

/** The bytes that are rewritten at once: they may hold thousands of events. */
const PART_BYTES = 64 * 1024
const NOTHING: Uint8Array = new Uint8Array()

/** Changes the pieces of one body. */
export interface Rewriting {
  readonly add: (chunk: Uint8Array) => Uint8Array
  /** Gives the bytes that were held back. */
  readonly end: () => Uint8Array
}

/**
 * Changes a body as it comes, piece by piece and never ahead of its reader. A source that fails makes the body fail, too, with what `breakWith`
 * makes of the cause; absent: without a reason, for Bun would print it, with its source, to stderr and past the log, where it reads the body.
 */
export function rewriteStream(
  source: ReadableStream<Uint8Array>,
  { add, end }: Rewriting,
  breakWith?: (cause: unknown) => unknown,
): ReadableStream<Uint8Array> {
  // Until the body is wanted its source can be read in another way.
  const open = () => source.getReader()
  let reader: ReturnType<typeof open> | undefined
  /** The rest of a chunk that is rewritten in parts. */
  let left = NOTHING
  const slice = new Slice()
  const next = async (): Promise<Uint8Array | undefined> => {
    if (left.byteLength === 0) {
      const askedAt = performance.now()
      reader ??= open()
      const { done, value } = await reader.read()
      if (done) return undefined
      slice.beginBehind(askedAt)
      left = value
    }
    const part = left.subarray(0, PART_BYTES)
    left = left.subarray(part.byteLength)
    return part
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const part = await next()
            if (slice.isOver()) await slice.rest()
            const ready = part === undefined ? end() : add(part)
            if (ready.byteLength > 0) controller.enqueue(ready)
            if (part === undefined) return controller.close()
            if (ready.byteLength > 0) return
          }
        } catch (cause) {
          controller.error(breakWith?.(cause))
        }
      },
      cancel: (reason) => ignoreRejection((reader ?? source).cancel(reason)),
    },
    { highWaterMark: 0 },
  )
}
