import { LRUCache } from 'lru-cache'
import { createAttachment } from '../../formats/attachment.ts'
import { digestInSteps, digestOf, LONG_BODY_BYTES, type Sha256 } from '../../formats/bytes/digest.ts'
import { endpointOf } from '../../openai/endpoint-of.ts'
import type { PreparedRequest } from '../../requests/prepared-request.ts'
import type { Route } from '../../routing/targets/router.ts'
import { inSlices } from '../../timing/slices.ts'
import { cacheKey, cacheKeyInSteps, type KeyParts, variantOf } from './cache-key.ts'
import { callerTexts, type Scope, scopeOf } from './scope.ts'

/** The key under which a request's answer is stored, and the scope that it belongs to. */
export interface ScopedKey {
  readonly key: string
  readonly scope: Scope
}

/** The texts that tell a request apart, beside its caller and its body. */
type Texts = [method: string, path: string, query: string, extra: string, upstream: string]

/** Attachment the deployments, which are one route's own: a route that is made of another takes along what is noted on that. */
const identities = createAttachment<Route['deployments'], string>('identity')

/** How many requests are remembered by their bytes. */
const KNOWN_MAX = 4096

/**
 * Makes the function that gives a request its key: at once, or for a long body in slices. A request that a caller repeats byte for byte is
 * recognized by a digest of these bytes, so that its canonical form is not made again. No prompt and no secret can be read from the
 * digests.
 *
 * @example
 * const keyOf = createScopedKeys(sha256)
 * const naming = keyOf(request, body)
 * const { key, scope } = naming instanceof Promise ? await naming : naming
 */
export function createScopedKeys(
  sha256: Sha256,
): (request: PreparedRequest, body: Uint8Array) => ScopedKey | Promise<ScopedKey> {
  let known: LRUCache<string, ScopedKey> | undefined
  return (request, body) => {
    // Made late: most servers have no cache.
    known ??= new LRUCache({ max: KNOWN_MAX })
    const asker = { principal: request.exchange.principal, headers: request.exchange.request.headers }
    const { cache } = request.settings
    const texts = textsOf(request, identityOf(request.route))
    const seenTexts = [...callerTexts(asker, cache), ...texts]
    const scope = (): Scope => scopeOf(asker, cache, sha256)
    if (body.byteLength > LONG_BODY_BYTES)
      return inSlices(nameInSteps({ seenTexts, scope, texts, body }, known, sha256))
    const seen = digestOf(seenTexts, body, sha256)
    const before = known.get(seen)
    if (before !== undefined) return before
    const own = scope()
    const name = { key: cacheKey(partsOf(own, texts, body), sha256), scope: own }
    known.set(seen, name)
    return name
  }
}

/** A request with a long body, and the texts that it is recognized by. */
interface LongRequest {
  readonly seenTexts: readonly string[]
  readonly scope: () => Scope
  readonly texts: Texts
  readonly body: Uint8Array
}

function* nameInSteps(
  { seenTexts, scope, texts, body }: LongRequest,
  known: LRUCache<string, ScopedKey>,
  sha256: Sha256,
): Generator<void, ScopedKey, void> {
  const seen = yield* digestInSteps(seenTexts, body, sha256)
  const before = known.get(seen)
  if (before !== undefined) return before
  const own = scope()
  const name = { key: yield* cacheKeyInSteps(partsOf(own, texts, body), sha256), scope: own }
  known.set(seen, name)
  return name
}

/**
 * Gives a request's key in a scope, at once or for a long body in slices. `upstream`: whatever names who is asked, where that tells
 * requests apart.
 *
 * @example
 * const fingerprint = await keyInScope(scope, request, body, '', sha256)
 */
export function keyInScope(
  scope: Scope,
  request: PreparedRequest,
  body: Uint8Array,
  upstream: string,
  sha256: Sha256,
): string | Promise<string> {
  const parts = partsOf(scope, textsOf(request, upstream), body)
  return body.byteLength > LONG_BODY_BYTES ? inSlices(cacheKeyInSteps(parts, sha256)) : cacheKey(parts, sha256)
}

function partsOf(scope: Scope, [method, path, query, extra, upstream]: Texts, body: Uint8Array): KeyParts {
  return { scope, upstream, method, path, query, body, extra }
}

function textsOf({ exchange: { request, requestTarget: target } }: PreparedRequest, upstream: string): Texts {
  const at = target.indexOf('?')
  const query = at === -1 ? '' : target.slice(at + 1)
  return [request.method, `/v1/${endpointOf(target)}`, query, variantOf(request.headers), upstream]
}

/** Names who may answer: a route's model and its targets, with their addresses. */
function identityOf({ model, deployments }: Route): string {
  const known = identities.get(deployments)
  if (known !== undefined) return known
  const targets = deployments.map(({ upstream, model: own }) => [upstream.name, upstream.baseUrl, own])
  const identity = JSON.stringify([model?.name, ...targets])
  identities.set(deployments, identity)
  return identity
}
