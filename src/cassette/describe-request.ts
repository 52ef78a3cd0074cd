import { decodeBody } from '../bytes/decode-body.ts'
import { parseExact } from '../json/exact.ts'
import { BODY_BYTES_MAX, type CassettePart, type CassetteRequest, type RequestBody } from './cassette.ts'
import { decodeText } from './decode-text.ts'
import { keptRequestHeaders } from './kept-headers.ts'
import { readParts } from './read-parts.ts'
import type { Scrub } from './scrub.ts'

/** A request as it came. */
export interface AskedRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  readonly headers: Headers
  /** All of it, in its `Content-Encoding`; empty: none. */
  readonly body: Uint8Array
}

/** SHA-256 of bytes (FIPS 180-4). */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Parameters of a URL whose values are keys. */
const SECRET_PARAMETER = /^(?:.*[-_])?(?:key|token|sig|signature|secret|password)$/i

/**
 * Describes a request as a cassette keeps it, without its secrets. What is recorded and what is looked for later are both
 * described so, and can be compared.
 *
 * @example
 * const request = await describeRequest({ method: 'POST', target, headers, body }, createScrub(secrets), sha256)
 */
export async function describeRequest(asked: AskedRequest, scrub: Scrub, sha256: Sha256): Promise<CassetteRequest> {
  const { method, target, headers } = asked
  const split = target.indexOf('?')
  const path = split === -1 ? target : target.slice(0, split)
  const query = split === -1 ? '' : withoutKeys(target.slice(split + 1))
  const body = await bodyOf(asked, scrub, sha256)
  return {
    method,
    path: scrub.text(path),
    ...(query !== '' && { query: scrub.text(query) }),
    headers: keptRequestHeaders(headers, scrub),
    ...(body !== undefined && { body }),
  }
}

function withoutKeys(query: string): string {
  const parameters = query.split('&').map((parameter) => {
    const [name = ''] = parameter.split('=', 1)
    return SECRET_PARAMETER.test(name) && name !== parameter ? `${name}=********` : parameter
  })
  return parameters.join('&')
}

async function bodyOf({ headers, body }: AskedRequest, scrub: Scrub, sha256: Sha256): Promise<RequestBody | undefined> {
  if (body.byteLength === 0) return undefined
  const plain = await decodeBody(new Uint8Array(body), headers.get('content-encoding'), BODY_BYTES_MAX)
  // What nobody can read may hold anything: only its hash is kept.
  if (!(plain instanceof Uint8Array)) return { parts: [hashed({ name: 'body' }, body, sha256)] }
  const parts = readParts(plain, headers.get('content-type') ?? '')
  if (parts !== undefined) {
    return {
      parts: parts.map(({ name, filename, content }) => {
        const clean = scrub.bytes(content)
        const about = { name: scrub.text(name), ...(filename !== undefined && { filename: scrub.text(filename) }) }
        const text = filename === undefined ? decodeText(clean) : undefined
        return text === undefined ? hashed(about, clean, sha256) : { ...about, text }
      }),
    }
  }
  const clean = scrub.bytes(plain)
  const text = decodeText(clean)
  if (text === undefined) return { base64: clean.toBase64() }
  const json = parseExact(text)
  return json === undefined ? { text } : { json }
}

function hashed(about: Pick<CassettePart, 'name' | 'filename'>, content: Uint8Array, sha256: Sha256): CassettePart {
  return { ...about, sha256: sha256(content).toHex(), bytes: content.byteLength }
}
