import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { Slice } from '../timing/slices.ts'
import type { Broken, Tap } from './tap.ts'

/** The options for a tapped body that is read within the program, and not by the runtime. */
export interface PassOptions {
  /** Gives the error that the body breaks with, from the source's failure; absent: none. */
  readonly breakWith?: (cause: unknown) => unknown
  /** Whether a reader that leaves for this reason means that the source has failed. */
  readonly isFailure?: (reason: unknown) => boolean
}

/**
 * Passes a body through a tap chunk by chunk, unchanged and never ahead of its reader.
 *
 * A source that fails makes the tapped body fail too, never end: a cut answer must not look complete. When a reader leaves
 * behind the answer's last event without a reason, the rest of the source is read for a moment.
 *
 * @example
 * return new Response(passThrough(answer.body, new Tap({ onEnd })), answer)
 */
export function passThrough(
  source: ReadableStream<Uint8Array>,
  tap: Tap,
  { breakWith, isFailure }: PassOptions = {},
): ReadableStream<Uint8Array> {
  const reader: Reader = source.getReader()
  let isLeft = false
  /** The rest of a chunk of megabytes, which goes on in pieces. */
  let rest: Uint8Array | undefined
  let slice: Slice | undefined
  /** A source may have megabytes ready, in one chunk or in many: others get their turn in between. */
  const rested = async (chunk: Uint8Array, askedAt: number): Promise<Uint8Array> => {
    slice ??= new Slice()
    slice.beginBehind(askedAt)
    if (slice.isOver()) await slice.rest()
    return chunk
  }
  const end = (controller: ReadableStreamDefaultController<Uint8Array>, broken: Broken | undefined): void => {
    if (broken === undefined) {
      controller.close()
      return
    }
    if (broken.finalBytes !== undefined) controller.enqueue(broken.finalBytes)
    // Mostly without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
    controller.error(breakWith?.(broken.cause))
  }
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    tap.onWait()
    let chunk: Uint8Array | undefined
    const held = rest
    rest = undefined
    const askedAt = performance.now()
    try {
      chunk = held === undefined ? (await reader.read()).value : held
      if (chunk !== undefined && chunk.byteLength > SHORT_BYTES_MAX) chunk = await rested(chunk, askedAt)
    } catch (cause) {
      return isLeft ? tap.onCancel() : end(controller, tap.onFail(cause))
    }
    if (chunk !== undefined && chunk.byteLength > PIECE_BYTES) {
      rest = chunk.subarray(PIECE_BYTES)
      chunk = chunk.subarray(0, PIECE_BYTES)
    }
    const shown = chunk === undefined ? tap.lastBytes() : tap.onChunk(chunk)
    if (isLeft) return
    const isShown = shown !== undefined && shown.byteLength > 0
    if (isShown) controller.enqueue(shown)
    if (chunk === undefined) end(controller, tap.onDone())
    // Of some chunks nothing is shown, and the reader waits on.
    else if (!isShown) await pull(controller)
  }
  return new ReadableStream<Uint8Array>(
    {
      pull,
      cancel(reason) {
        isLeft = true
        if (rest !== undefined) tap.onChunk(rest)
        rest = undefined
        if (isFailure?.(reason) === true) tap.onFail(reason)
        else if (reason === undefined && readRest(reader, tap)) return undefined
        else tap.onCancel()
        return ignoreRejection(reader.cancel(reason))
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * Passes a body on as it comes, and holds its end back until `before` has resolved: the client may rely on that when it has the
 * whole body. A source that fails makes the body fail, too.
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
          // The error has no reason: Bun would print it, with its source, to stderr and past the log.
          controller.error(undefined)
        }
      },
      cancel: (reason) => ignoreRejection(reader.cancel(reason)),
    },
    { highWaterMark: 0 },
  )
}

/** The methods of a stream's reader that are used here. */
interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

/** The bytes that are handled at once; then other requests get their turn. */
const PIECE_BYTES = 128 * 1024
/** A chunk of at most this many bytes takes negligible time. */
const SHORT_BYTES_MAX = 16 * 1024

/** Reads on for a moment behind an answer's last event; false: the reader left before that event. */
function readRest(reader: Reader, tap: Tap): boolean {
  const moment = tap.onLeave((reason) => {
    tap.onCancel()
    void ignoreRejection(reader.cancel(reason))
  })
  if (moment === undefined) return false
  const readOn = async (): Promise<void> => {
    for (;;) {
      const { value } = await reader.read()
      if (value === undefined) break
      tap.onChunk(value)
    }
    tap.onDone()
  }
  readOn()
    .catch(() => tap.onCancel())
    .finally(() => moment.clear())
  return true
}
