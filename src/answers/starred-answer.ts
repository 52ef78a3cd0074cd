import { sniffFormat } from '../formats/bytes/content-coding.ts'
import { isEncoded } from '../formats/bytes/decode-body.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import type { Stars } from '../upstream/stars.ts'
import { ErrorFeed } from './error-feed.ts'
import { unitKindOf } from './error-units.ts'
import { starBody } from './star-body.ts'
import type { Feed } from './star-feed.ts'
import { sayDecoded, starWhole } from './star-whole.ts'

type Bytes = Uint8Array<ArrayBuffer>

/**
 * Has whoever reads a good answer's body get it with stars over the secrets in what of it reports a failure, as it comes or whole, and does
 * nothing before somebody reads. It is the answer itself: another one, and one more stream where all of it is wanted at once, would cost more than to look.
 *
 * A short body in a coding is given decoded where there is a secret in it, and its headers say so; a longer one breaks off before it.
 *
 * @example
 * return starAnswer(answer, mask.stars)
 */
export function starAnswer(answer: Response, stars: Stars): Response {
  const { headers } = answer
  const kind = unitKindOf(headers.get('content-type'))
  if (kind === undefined) return answer
  const makeFeed = (): Feed => new ErrorFeed(stars, kind)
  const whole = { bytes: (came: Bytes): Bytes => showWhole(came, makeFeed()) }
  let shown: ReadableStream<Uint8Array> | null | undefined
  const bodyOf = (): ReadableStream<Uint8Array> | null => {
    if (shown === undefined) {
      const source = nativeBody(answer)
      shown = source === null ? null : starBody(source, headers, { makeFeed, isStrict: false })
    }
    return shown
  }
  const bytes = async (): Promise<Bytes> => {
    const came = new Uint8Array(await Response.prototype.arrayBuffer.call(answer))
    const codings = headers.get('content-encoding')
    if (!isEncoded(codings) && sniffFormat(came) === undefined) return whole.bytes(came)
    const starred = await starWhole(came, codings, whole)
    if (starred?.isDecoded === true) sayDecoded(headers, starred.bytes)
    return starred?.bytes ?? whole.bytes(came)
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

function showWhole(bytes: Bytes, feed: Feed): Bytes {
  const shown = feed.add(bytes)
  const rest = feed.end()
  return rest.byteLength === 0 ? (shown as Bytes) : joinBytes([shown, rest])
}
