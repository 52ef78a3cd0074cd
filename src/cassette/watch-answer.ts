import type { Recording } from './recorder.ts'

/**
 * Has a recording hear an answer while it passes: head, chunks and end, with nothing changed and nothing read ahead.
 *
 * @example
 * const answer = watchAnswer(await send(call), recording)
 */
export function watchAnswer(answer: Response, recording: Recording): Response {
  recording.onHead(answer.status, answer.headers)
  if (answer.body === null) {
    recording.onEnd({ kind: 'complete' })
    return answer
  }
  const reader = answer.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) {
            recording.onChunk(value)
            controller.enqueue(value)
            return
          }
          recording.onEnd({ kind: 'complete' })
          controller.close()
        } catch (cause) {
          recording.onEnd({ kind: 'failed', cause })
          controller.error(cause)
        }
      },
      cancel(reason) {
        recording.onEnd({ kind: 'cancelled' })
        return reader.cancel(reason).catch(() => undefined)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, answer)
}
