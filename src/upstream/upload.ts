import { ignoreRejection } from '../formats/ignore-rejection.ts'

/** What an upload that passes through is held to. */
export interface UploadWatch {
  /** Called when the upstream has made room for a chunk: it is the client's that is now waited for. */
  readonly onWait: () => void
  /** Called when the upstream has been handed a chunk or the end: it is its turn. */
  readonly onProgress: () => void
  /** Called where the client's side fails: the call can't be completed. */
  readonly onFailure: (cause: unknown) => void
}

/**
 * Passes an upload through, never ahead of the upstream, and tells how it goes: fetch alone would not say
 * why a body of its request failed.
 */
export function watchUpload(source: ReadableStream<Uint8Array>, watch: UploadWatch): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let isWanted = true
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.onWait()
        try {
          const { done, value } = await reader.read()
          // An upstream that has answered before the end wants no more: that is nobody's failure.
          if (!isWanted) return
          watch.onProgress()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (cause) {
          if (!isWanted) return
          watch.onFailure(cause)
          controller.error(undefined)
        }
      },
      cancel(reason) {
        isWanted = false
        return ignoreRejection(reader.cancel(reason))
      },
    },
    { highWaterMark: 0 },
  )
}
