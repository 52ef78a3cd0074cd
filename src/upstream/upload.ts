import { ignoreRejection } from '../formats/ignore-rejection.ts'

/** The functions that are told how an upload goes. */
export interface UploadWatch {
  /** Called when the upstream has made room for a chunk: now the client is waited for. */
  readonly onWait: () => void
  /** Called when the upstream has been handed a chunk or the end: now the upstream is waited for. */
  readonly onProgress: () => void
  /** Called if the client's side fails: the call can't be completed. */
  readonly onFailure: (cause: unknown) => void
}

/**
 * Passes an upload through, never ahead of the upstream, and reports its progress: fetch alone would not say
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
          // An upstream that has answered before the end wants no more: that is no failure.
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
