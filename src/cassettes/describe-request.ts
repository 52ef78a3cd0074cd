import { decodeUtf8 } from '../formats/bytes/byte-string.ts'
import { decodeBody } from '../formats/bytes/decode-body.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { parseExact } from '../formats/json/exact.ts'
import { readParts } from '../formats/multipart/read-parts.ts'
import { isSecretName, isSecretParameter } from '../formats/secrets/secret-names.ts'
import { BODY_BYTES_MAX, type CassettePart, type CassetteRequest, type CassetteRequestBody } from './cassette.ts'
import { keptRequestHeaders } from './kept-headers.ts'
import { isUrlEncoded } from './named-secrets.ts'
import { type Scrub, STARS } from './scrub.ts'

const UTF_8 = new TextEncoder()

/** A request as it came, with its whole body. */
export interface ReceivedRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  readonly headers: Headers
  /** The whole body, encoded as its `Content-Encoding` says; empty: none. */
  readonly body: Uint8Array
}

/**
 * Describes a request as a cassette keeps it, without its secrets. Recorded and replayed requests are both described so, and can be
 * compared.
 *
 * @example
 * const request = await describeRequest({ method: 'POST', target, headers, body }, createScrub(secrets), sha256)
 */
export async function describeRequest(
  request: ReceivedRequest,
  scrub: Scrub,
  sha256: Sha256,
): Promise<CassetteRequest> {
  const { method, target, headers } = request
  const split = target.indexOf('?')
  const path = split === -1 ? target : target.slice(0, split)
  const query = withoutKeys(queryOf(target))
  const body = await bodyOf(request, scrub, sha256)
  return {
    method,
    path: scrub.text(path),
    ...(query !== '' && { query: scrub.text(query) }),
    headers: keptRequestHeaders(headers, scrub),
    ...(body !== undefined && { body }),
  }
}

/**
 * The query of a request target; empty: none.
 *
 * @example
 * queryOf('/v1/models?limit=2') // 'limit=2'
 */
export function queryOf(target: string): string {
  const split = target.indexOf('?')
  return split === -1 ? '' : target.slice(split + 1)
}

function withoutKeys(query: string): string {
  const parameters = query.split('&').map((parameter) => {
    const [name = ''] = parameter.split('=', 1)
    if (name === parameter) return parameter
    return isSecretParameter(name, parameter.slice(name.length + 1)) ? `${name}=${STARS}` : parameter
  })
  return parameters.join('&')
}

async function bodyOf(
  { headers, body }: ReceivedRequest,
  scrub: Scrub,
  sha256: Sha256,
): Promise<CassetteRequestBody | undefined> {
  if (body.byteLength === 0) return undefined
  const plain = await decodeBody(new Uint8Array(body), headers.get('content-encoding'), BODY_BYTES_MAX)
  // A body that can't be decoded may hold any secret, so only its hash is kept.
  if (!(plain instanceof Uint8Array)) return { parts: [hashed({ name: 'body' }, body, sha256)] }
  const type = headers.get('content-type') ?? ''
  const parts = readParts(plain, type, { isStrict: false })
  if (parts !== undefined) {
    return {
      parts: parts.map(({ name, filename, content }) => {
        const isKey = filename === undefined && isSecretName(name)
        const clean = isKey ? UTF_8.encode(STARS) : scrub.bytes(content)
        const about = { name: scrub.text(name), ...(filename !== undefined && { filename: scrub.text(filename) }) }
        const text = filename === undefined ? decodeUtf8(clean) : undefined
        return text === undefined ? hashed(about, clean, sha256) : { ...about, text }
      }),
    }
  }
  const clean = scrub.bytes(plain)
  const text = decodeUtf8(clean)
  if (text === undefined) return { base64: clean.toBase64() }
  if (isUrlEncoded(type)) return { text: withoutKeys(text) }
  const json = parseExact(text)
  return json === undefined ? { text } : { json }
}

function hashed(about: Pick<CassettePart, 'name' | 'filename'>, content: Uint8Array, sha256: Sha256): CassettePart {
  return { ...about, sha256: sha256(content).toHex(), bytes: content.byteLength }
}
