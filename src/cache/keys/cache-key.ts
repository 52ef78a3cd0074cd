import { digestInSteps, digestOf, type Sha256 } from '../../formats/bytes/digest.ts'
import { KEY_HEADERS, SESSION_HEADER } from '../../formats/http/credential-headers.ts'
import { canonicalInSteps, canonicalJson } from '../../formats/json/canonical-json.ts'
import type { Scope } from './scope.ts'

/** The parts that two requests must have in common to share an answer. */
export interface KeyParts {
  readonly scope: Scope
  /** The name of the upstream, or of the targets that may answer. */
  readonly upstream: string
  readonly method: string
  readonly path: string
  /** As it stands in the request target; empty: none. */
  readonly query: string
  /** The body as it goes upstream, after the parameter rules; empty: none. */
  readonly body: Uint8Array
  /** Whatever else tells requests apart, such as `variantOf` gives. */
  readonly extra?: string
}

/** Keeps keys apart from digests for other purposes, and from another version of the key. */
const PURPOSE = 'nexcode cache 1'

/**
 * Gives the key of a request: the SHA-256 of all its parts in hex, with the canonical form of a JSON body. No prompt and no secret can be
 * read from it.
 *
 * @example
 * const key = cacheKey({ scope, upstream: 'openai', method: 'POST', path: '/v1/embeddings', query: '', body }, sha256)
 */
export function cacheKey(parts: KeyParts, sha256: Sha256): string {
  const { body } = parts
  return digestOf(textsOf(parts), body.byteLength === 0 ? body : canonicalJson(body), sha256)
}

/**
 * The same for a body that is long, with rests: of one of more than 4 MiB all bytes count as they are.
 *
 * @example
 * const key = await inSlices(cacheKeyInSteps(parts, sha256))
 */
export function* cacheKeyInSteps(parts: KeyParts, sha256: Sha256): Generator<void, string, void> {
  const form = yield* canonicalInSteps(parts.body)
  return yield* digestInSteps(textsOf(parts), form, sha256)
}

function textsOf({ scope, upstream, method, path, query, extra }: KeyParts): readonly string[] {
  const texts = [PURPOSE, scope, upstream, method, path, query]
  if (extra !== undefined) texts.push(extra)
  return texts
}

/** Headers that choose an account, a version or a form of the answer upstream, and those that RFC 9111 lets an answer vary by. */
const VARYING = [
  'accept',
  'accept-encoding',
  'accept-language',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'x-nexcode-cache-key',
] as const

/** Names that an answer's `Vary` may list: each is part of every key, or concerns our own server only. */
const VARIED_BY: ReadonlySet<string> = new Set([
  ...VARYING,
  // The scope tells these apart. Of the other credentials no server's answer varies: they are for a proxy, and for WebSockets.
  ...KEY_HEADERS,
  SESSION_HEADER,
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
])

/**
 * Gives the part of a key that stands for a request's headers: those that decide what an upstream answers, and the caller's
 * own `x-nexcode-cache-key`.
 *
 * @example
 * const key = cacheKey({ ...parts, extra: variantOf(request.headers) }, sha256)
 */
export function variantOf(headers: Headers): string {
  const variant = VARYING.map((name) => {
    const value = headers.get(name)
    return value === null ? '-' : `${value.length}:${value}`
  }).join()
  const type = headers.get('content-type')
  // The same bytes are another request to a server that goes by a charset.
  return type === null || !OTHER_CHARSET.test(type) ? variant : `${variant},${type.length}:${type}`
}

const OTHER_CHARSET = /charset(?!="?utf-?8"?$)/i

/**
 * Whether all that an answer varies by is part of every key, by its `Vary` (RFC 9110 §12.5.5).
 *
 * @example
 * if (!isCoveredByKey(answer.headers.get('vary'))) return false
 */
export function isCoveredByKey(vary: string | null): boolean {
  return vary === null || vary.split(',').every((name) => isVaried(name.trim().toLowerCase()))
}

function isVaried(name: string): boolean {
  return name === '' || VARIED_BY.has(name)
}
