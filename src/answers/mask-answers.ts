import { collect } from '../exchange/collect-bytes.ts'
import { isEncoded, sniffFormat } from '../formats/bytes/decode-body.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { Mask } from '../upstream/mask.ts'
import type { Send, UpstreamCall } from '../upstream/send.ts'
import { type BodyMask, FullMask } from './body-mask.ts'
import { ErrorMask } from './error-mask.ts'
import { unitKindOf } from './error-units.ts'
import { maskStream } from './mask-stream.ts'
import { maskCoded, maskWhole, sayDecoded } from './mask-whole.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** No encoded error is longer. */
const ENCODED_BYTES_MAX = 1024 * 1024

/**
 * Makes a sender whose answers hold none of the secrets that were sent with the call: not in a header, whatever the status; not in the
 * body of an error; and not in the parts of a good answer that report a failure. So everybody gets the answer masked, also out of a cache.
 * A model's words stay as they are.
 *
 * An encoded error is read as a whole to be searched. If it has a secret, it goes on decoded; if it can't be decoded, the call rejects
 * with `upstream_invalid_response`.
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
    return maskGoodAnswer(shown, mask)
  }
  const { body } = answer
  // An answer whose status HTTP does not have is not handed on.
  if (status > 599 || status < 200 || body === null) return reason === statusText ? answer : new Response(body, head)
  if (headers.has('content-encoding')) return maskEncoded(body, head, mask, call, deadlines)
  return new Response(maskStream(body, headers, { makeMask: () => new FullMask(mask), isStrict: true }), head)
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
 * Masks the parts of a good answer's body that report a failure, when somebody reads the body: as a stream or as a whole.
 * It is the same answer with other ways to read it: another `Response`, and one more stream if the whole is wanted, would cost more than
 * the search.
 *
 * A short encoded body with a secret is given decoded, and its headers say so; a longer one breaks off before the secret.
 */
function maskGoodAnswer(answer: Response, mask: Mask): Response {
  const { headers } = answer
  const kind = unitKindOf(headers.get('content-type'))
  if (kind === undefined) return answer
  const makeMask = (): BodyMask => new ErrorMask(mask, kind)
  const maskPlain = (plain: Bytes): Bytes => maskAtOnce(plain, makeMask())
  let masked: ReadableStream<Uint8Array> | null | undefined
  const bodyOf = (): ReadableStream<Uint8Array> | null => {
    if (masked === undefined) {
      const source = nativeBody(answer)
      masked = source === null ? null : maskStream(source, headers, { makeMask, isStrict: false })
    }
    return masked
  }
  const bytes = async (): Promise<Bytes> => {
    const came = new Uint8Array(await Response.prototype.arrayBuffer.call(answer))
    const codings = headers.get('content-encoding')
    if (!isEncoded(codings) && sniffFormat(came) === undefined) return maskPlain(came)
    const whole = await maskCoded(came, codings, maskPlain)
    if (whole?.isDecoded === true) sayDecoded(headers, whole.bytes)
    return whole?.bytes ?? maskPlain(came)
  }
  const text = async (): Promise<string> => new TextDecoder().decode(await bytes())
  const value = <T>(read: () => Promise<T>): PropertyDescriptor => ({ value: read, configurable: true })
  return Object.defineProperties(answer, {
    body: { get: bodyOf, configurable: true },
    bytes: value(bytes),
    arrayBuffer: value(async () => (await bytes()).buffer),
    text: value(text),
    json: value(async () => JSON.parse(await text()) as unknown),
    blob: value(async () => new Blob([await bytes()])),
  })
}

function nativeBody(answer: Response): ReadableStream<Bytes> | null {
  return Object.getOwnPropertyDescriptor(Response.prototype, 'body')?.get?.call(answer) as ReadableStream<Bytes> | null
}

function maskAtOnce(bytes: Bytes, mask: BodyMask): Bytes {
  const masked = mask.add(bytes)
  const rest = mask.end()
  return rest.byteLength === 0 ? (masked as Bytes) : joinBytes([masked, rest])
}
