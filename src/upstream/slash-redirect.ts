import type { Destination } from './target.ts'

/** Redirects that keep the method and the body (RFC 9110 §15.4.8, §15.4.9). */
const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308])
/** Those that mean a GET, whatever the method was. */
const MEANS_GET: ReadonlySet<number> = new Set([301, 302, 303])
const GETS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The call that was redirected. */
export interface RedirectedCall extends Destination {
  readonly method: string
  /** A stream can't be sent again. */
  readonly body: unknown
}

/** What is to become of a redirect that differs by the slash at the path's end alone. */
export type SlashRedirect =
  /** The same call is to be made there. */
  | { readonly kind: 'follow'; readonly to: Destination }
  /** It can't be made again: the caller may, at the place that this reference leads to from its own. */
  | { readonly kind: 'tell'; readonly location: string }

/**
 * Says what is to become of a redirect to the very same URL with a slash more or less at the end of its path, as every FastAPI
 * server answers one: the SDKs follow it. undefined: it is none, leads to another origin, or would change the method.
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

/** From the same path with the slash the other way, wherever that is served from. */
function relative(path: string): string {
  const segments = path.split('/')
  return path.endsWith('/') ? `./${segments.at(-2)}/` : `../${segments.at(-1)}`
}
