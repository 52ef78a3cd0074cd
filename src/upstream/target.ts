import { ApiError } from '../openai/api-error.ts'

/** Where a call goes. */
export interface Destination {
  readonly url: URL
  /** Path and query as they are to stand on the request line: a URL parser would percent-encode some of it. */
  readonly target: string
}

/** Gives where a caller's request target goes. Throws `invalid_target` where that is not below the upstream's base. */
export type Locate = (callersTarget: string) => Destination

/** Targets are few, but for those with ids in them: what was found out about the last ones is kept. */
const REMEMBERED_MAX = 256
const REMEMBERED_CHARS_MAX = 256

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
export function createLocate(baseUrl: string): Locate {
  const base = new URL(baseUrl)
  const root = base.pathname === '/' ? '' : base.pathname
  const remembered = new Map<string, Destination>()
  return (callersTarget) => {
    const known = remembered.get(callersTarget)
    if (known !== undefined) return known
    const path = callersTarget.startsWith('/v1/') ? callersTarget.slice('/v1'.length) : callersTarget
    const url = URL.parse(baseUrl + path)
    if (url === null || url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) {
      throw new ApiError('invalid_target')
    }
    const destination = { url, target: root + path }
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    if (callersTarget.length <= REMEMBERED_CHARS_MAX) remembered.set(callersTarget, destination)
    return destination
  }
}
