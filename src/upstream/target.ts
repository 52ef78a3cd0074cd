import type { SecretPair } from '../config/sections/upstreams/headers.ts'
import { BoundedMemo } from '../formats/bounded-memo.ts'
import { ApiError } from '../openai/api-error.ts'

/** The destination of a call. */
export interface Destination {
  readonly url: URL
  /** Path and query for the request line: a URL parser would percent-encode some of it. */
  readonly target: string
}

/**
 * Gives the destination for a caller's request target, with the model of the call if there is one. Throws
 * `invalid_target` if it is not below the upstream's base.
 */
export type Locate = (callersTarget: string, model?: string) => Destination

/** The parts of an upstream's URLs beyond its base and the caller's path. */
export interface LocateOptions {
  /** Parameters of each call, unless the caller has set them. */
  readonly query?: readonly SecretPair[]
  /** The path of a call of a model, with `{model}` and `{path}` in it. */
  readonly modelPath?: string | undefined
  /** The paths below `/v1/` that are calls of a model. */
  readonly modelEndpoints?: ReadonlySet<string>
}

/** Targets are few, except those with ids in them. */
const REMEMBERED = { entriesMax: 256, keyCharsMax: 256 } as const

/**
 * Makes the function that joins the upstream's base and a caller's raw request target, and asserts that the result
 * stays there.
 *
 * The `/v1` in front of the caller's target is the base's; the commonest mistake in a base URL is to leave it out,
 * so it may be missing. Concatenated, never resolved: `new URL('//evil.example/x', base)` would change the host.
 *
 * @example
 * const locate = createLocate('https://api.openai.com/v1')
 * const { url } = locate('/v1/chat/completions?x=1')
 */
export function createLocate(baseUrl: string, options: LocateOptions = {}): Locate {
  const base = new URL(baseUrl)
  const root = base.pathname === '/' ? '' : base.pathname
  const rewrite = createRewrite(options)
  const remembered = new BoundedMemo<Destination>(REMEMBERED)
  return (callersTarget, model) => {
    // A model is part of the URL only if a template says so.
    const key = options.modelPath === undefined ? callersTarget : `${callersTarget} ${model}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    const path = rewrite(callersTarget.startsWith('/v1/') ? callersTarget.slice('/v1'.length) : callersTarget, model)
    const url = URL.parse(baseUrl + path)
    if (url === null || url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) {
      throw new ApiError('invalid_target')
    }
    return remembered.set(key, { url, target: root + path })
  }
}

/** A dot segment in a model's name; a parameter behind `;` hides it from servers that do not know that form. */
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:;[^/\\]*)?(?:[/\\]|$)/

/** Makes the function that changes a path and query, as an upstream's template and parameters say. */
function createRewrite({ query = [], modelPath, modelEndpoints }: LocateOptions) {
  return (target: string, model: string | undefined): string => {
    const at = target.indexOf('?')
    const path = at === -1 ? target : target.slice(0, at)
    const search = at === -1 ? '' : target.slice(at)
    const isCall = modelPath !== undefined && model !== undefined && modelEndpoints?.has(path.slice(1)) === true
    // An upstream that decodes the path before it reads it would go elsewhere.
    if (isCall && DOT_SEGMENT.test(model)) throw new ApiError('invalid_target')
    const written = isCall
      ? modelPath.replaceAll('{model}', () => encodeURIComponent(model)).replaceAll('{path}', () => path)
      : path
    return written + (query.length === 0 ? search : addMissing(search, query))
  }
}

/** Adds the parameters that a query lacks; those in it stay as they are. */
function addMissing(search: string, query: readonly SecretPair[]): string {
  const present = new URLSearchParams(search)
  const added = query
    .filter(([name]) => !present.has(name))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.reveal())}`)
  if (added.length === 0) return search
  return `${search.length > 1 ? `${search}&` : '?'}${added.join('&')}`
}
