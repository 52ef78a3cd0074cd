import { memoize } from '../formats/bounded-memo.ts'
import { ApiError } from '../openai/api-error.ts'

/** The methods that are served (RFC 9110 §9, RFC 5789); CONNECT, TRACE and unknown ones are refused. */
export const SERVED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const HOST_BYTES_MAX = 255
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/**
 * Checks a request before anything else happens to it: one well-formed Host, a served method and a plain absolute target. Throws
 * `invalid_host`, `method_not_allowed` or `invalid_target`. Framing and the bytes of the headers have been checked by `http1/`.
 *
 * Two Host headers arrive joined by a comma, which no host may contain (RFC 9112 §3.2).
 */
export function guardRequest(method: string, target: string, headers: Headers): void {
  if (!isHost(headers.get('host') ?? '')) throw new ApiError('invalid_host')
  if (!SERVED_METHODS.has(method)) throw methodNotAllowed(method, target)
  if (!isPlainTarget(target)) throw new ApiError('invalid_target')
}

/** Makes OpenAI's error for a method that an endpoint does not have. */
export function methodNotAllowed(method: string, target: string): ApiError {
  const path = target.split('?', 1)[0]?.slice(0, 200)
  return new ApiError('method_not_allowed', {
    message: `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
  })
}

/** Whether a text names a host. Callers know a server by few names: the verdicts on the last ones are kept. */
const isHost = memoize((host) => host.length <= HOST_BYTES_MAX && HOST.test(host) && URL.canParse(`http://${host}/`), {
  entriesMax: 64,
  keyCharsMax: HOST_BYTES_MAX,
})

/**
 * Whether a request target is an absolute path that no URL parser, here or upstream, will read as another one:
 * no full URL, no second slash in front, no backslash, no fragment, no dot segment in any spelling.
 */
function isPlainTarget(target: string): boolean {
  if (!target.startsWith('/') || target.startsWith('//')) return false
  if (target.includes('#')) return false
  const path = target.split('?', 1)[0] ?? ''
  return !path.includes('\\') && !hasDotSegment(path)
}

/** How often a path is decoded to look for dot segments, since an upstream may decode it again; an honest path needs it once. */
const DECODINGS = 3

function hasDotSegment(path: string): boolean {
  if (!path.includes('/.') && !path.includes('%')) return false
  let spelling = path
  for (let times = 0; times <= DECODINGS; times += 1) {
    // A parameter behind `;` (`/..;/`) hides a dot segment from servers that do not know such parameters.
    if (spelling.split(/[/\\]/).some((segment) => /^\.{1,2}(;.*)?$/.test(segment))) return true
    if (!spelling.includes('%')) return false
    spelling = spelling.replace(/%(2e|2f|5c|25|3b)/gi, (code) =>
      String.fromCharCode(Number.parseInt(code.slice(1), 16)),
    )
  }
  return false
}
