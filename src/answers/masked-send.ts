import { collect } from '../exchange/collect-bytes.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { Mask } from '../upstream/mask.ts'
import type { Send, UpstreamCall } from '../upstream/send.ts'
import { starBody } from './star-body.ts'
import { StarFeed } from './star-feed.ts'
import { sayDecoded, starWhole } from './star-whole.ts'
import { starAnswer } from './starred-answer.ts'

/** No error's text is longer, encoded. */
const ENCODED_BYTES_MAX = 1024 * 1024

/**
 * Makes a sender whose answers have nothing in them of the secrets that were sent with the call: neither in a header, whatever the
 * status, nor in the body of what is no good answer, nor in what of a good one reports a failure. Whoever gets the answer, now or out of
 * a cache, gets it so.
 *
 * An encoded error is searched where it is whole. If a secret is in it, it goes on decoded; if nobody can decode it, it does not go on:
 * rejects with `upstream_invalid_response`. What a model said passes.
 *
 * @example
 * const send = maskAnswers(createSend({ fetch, deadlines, firstByteMs }), deadlines)
 */
export function maskAnswers(send: Send, deadlines: Deadlines): Send {
  return (call) => {
    const { mask } = call
    const sending = send(call)
    return mask === undefined ? sending : sending.then((answer) => maskAnswer(answer, mask, call, deadlines))
  }
}

function maskAnswer(
  answer: Response,
  mask: Mask,
  call: UpstreamCall,
  deadlines: Deadlines,
): Response | Promise<Response> {
  const { status, statusText, headers } = answer
  mask.headers(headers)
  const reason = statusText === '' ? '' : mask.text(statusText)
  const head = { status, statusText: reason, headers }
  if (status >= 200 && status < 300) {
    const shown = reason === statusText ? answer : new Response(answer.body, head)
    return starAnswer(shown, mask.stars)
  }
  const { body } = answer
  // What HTTP does not have is handed to nobody.
  if (status > 599 || status < 200 || body === null) return reason === statusText ? answer : new Response(body, head)
  if (headers.has('content-encoding')) return maskEncoded(body, head, mask, call, deadlines)
  return new Response(starBody(body, headers, { makeFeed: () => new StarFeed(mask.stars), isStrict: true }), head)
}

type Head = Pick<Response, 'status' | 'statusText' | 'headers'>

async function maskEncoded(
  body: ReadableStream<Uint8Array>,
  head: Head,
  mask: Mask,
  { abort, streamIdleMs = 0 }: UpstreamCall,
  deadlines: Deadlines,
): Promise<Response> {
  const idle = deadlines.start(streamIdleMs, () => abort.abort(new ApiError('upstream_timeout')))
  const watched = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        idle.touch()
        controller.enqueue(chunk)
      },
    }),
  )
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = await collect(watched, ENCODED_BYTES_MAX)
  } catch (thrown) {
    if (abort.signal.aborted) throw upstreamFailure(abort.signal.reason)
    if (thrown instanceof ApiError) throw new ApiError('upstream_invalid_response', { cause: thrown })
    throw upstreamFailure(thrown)
  } finally {
    idle.clear()
  }
  return new Response(await maskWhole(bytes, head.headers, mask), head)
}

/**
 * Hides secrets in a whole body, as its headers say that it is encoded. If there are any in it, it is given decoded, and the headers say
 * so. Rejects with `upstream_invalid_response` where nobody can decode it.
 *
 * @example
 * const body = await maskWhole(received, headers, mask)
 */
export async function maskWhole(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Headers,
  { stars }: Mask,
): Promise<Uint8Array<ArrayBuffer>> {
  const shown = await starWhole(bytes, headers.get('content-encoding'), stars)
  if (shown === undefined) {
    throw new ApiError('upstream_invalid_response', { cause: 'an encoded error that cannot be searched for the key' })
  }
  if (shown.isDecoded) sayDecoded(headers, shown.bytes)
  return shown.bytes
}
