import { ApiError } from '../openai/api-error.ts'

/** Where a call goes. */
export interface Destination {
  readonly url: URL
  /** Path and query as they are to stand on the request line: a URL parser would percent-encode some of it. */
  readonly target: string
}

/**
 * Joins the upstream's base and the caller's raw request target, and asserts that the result stays there.
 *
 * The `/v1` in front of the caller's target is the base's; the commonest mistake in a base URL is to leave it out,
 * so it may be missing. Concatenated, never resolved: `new URL('//evil.example/x', base)` would change the host.
 * Throws `invalid_target` where the result leaves the base's origin or path.
 *
 * @example
 * locate('https://api.openai.com/v1', '/v1/chat/completions?x=1')
 */
export function locate(baseUrl: string, callersTarget: string): Destination {
  const path = callersTarget.startsWith('/v1/') ? callersTarget.slice('/v1'.length) : callersTarget
  const base = new URL(baseUrl)
  const url = URL.parse(baseUrl + path)
  const root = base.pathname === '/' ? '' : base.pathname
  if (url === null || url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) {
    throw new ApiError('invalid_target')
  }
  return { url, target: root + path }
}
