import type { Destination } from './target.ts'

/** Redirects that keep the method and the body (RFC 9110 §15.4.8, §15.4.9). */
const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308])
/** Redirects that mean a GET, whatever the method was. */
const MEANS_GET: ReadonlySet<number> = new Set([301, 302, 303])
const GETS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The call that was redirected. */
export interface RedirectedCall extends Destination {
  readonly method: string
  /** A stream can't be sent again. */
  readonly body: unknown
}

/** The handling of a redirect that differs by the slash at the path's end alone. */
export type SlashRedirect =
  /** The same call is made at `to`. */
  | { readonly kind: 'follow'; readonly to: Destination }
  /** The call can't be made again: the caller may make it, at the place that this reference leads to from its own. */
  | { readonly kind: 'tell'; readonly location: string }

/**
 * Gives the handling of a redirect to the very same URL with a slash more or less at the end of its path, as every FastAPI
 * server sends one: the SDKs follow it. undefined: it is no such redirect, leads to another origin, or would change the method.
 *
 * @example
 * const redirect = slashRedirect(call, answer)
 */
export function slashRedirect(call: RedirectedCall, { status, headers }: Response): SlashRedirect | undefined {
  const isSame = KEEPS_METHOD.has(status) || (MEANS_GET.has(status) && GETS.has(call.method))
  const location = isSame ? headers.get('location') : null
  const there = location === null ? null : URL.parse(location, call.url.href)
  if (there === null) return undefined
  const { origin, pathname, search, username } = there
  const wanted = toggleSlash(call.url.pathname)
  if (origin !== call.url.origin || pathname !== wanted || search !== call.url.search || username !== '')
    return undefined
  if (call.body instanceof ReadableStream) return { kind: 'tell', location: relative(wanted) + search }
  const queryAt = call.target.indexOf('?')
  const path = queryAt === -1 ? call.target : call.target.slice(0, queryAt)
  return { kind: 'follow', to: { url: there, target: toggleSlash(path) + call.target.slice(path.length) } }
}

function toggleSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : `${path}/`
}

/** Gives the reference from a path to the same path with the other slash, wherever that is served. */
function relative(path: string): string {
  const segments = path.split('/')
  return path.endsWith('/') ? `./${segments.at(-2)}/` : `../${segments.at(-1)}`
}
