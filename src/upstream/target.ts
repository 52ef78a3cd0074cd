import { ApiError } from '../openai/api-error.ts'

/**
 * Joins the upstream's base and the caller's raw path and query, and asserts that the result stays there.
 *
 * Concatenated, never resolved: `new URL('//evil.example/x', base)` would change the host.
 * Throws `invalid_target` where the result leaves the base's origin or path.
 *
 * @example
 * upstreamUrl('https://api.openai.com/v1', '/chat/completions?x=1')
 */
export function upstreamUrl(baseUrl: string, pathAndQuery: string): URL {
  const base = new URL(baseUrl)
  const url = URL.parse(baseUrl + pathAndQuery)
  const root = base.pathname === '/' ? '' : base.pathname
  if (url === null || url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) {
    throw new ApiError('invalid_target')
  }
  return url
}
