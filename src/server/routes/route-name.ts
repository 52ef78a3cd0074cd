import { endpointFor } from '../../openai/endpoints.ts'
import { OPENAPI_PATH } from './documentation.ts'
import { LIVENESS, READINESS } from './health.ts'
import { isServed, routeOf } from './openai.ts'

/** Paths of this server's own, and what the log calls them. */
const OWN: ReadonlyMap<string, string> = new Map([
  ...LIVENESS.map((path) => [path, 'health'] as const),
  ...READINESS.map((path) => [path, 'ready'] as const),
  ['/', 'home'],
  ['/favicon.ico', 'favicon'],
  ['/docs', 'docs'],
  [OPENAPI_PATH, 'openapi'],
])

/**
 * What the log calls the route that a request would have come to, for one that is refused before it does; undefined: there is none.
 *
 * @example
 * exchange.route = routeNameOf('POST', '/v1/chat/completions') ?? exchange.route // 'chat.completions'
 */
export function routeNameOf(method: string, target: string): string | undefined {
  const path = target.split('?', 1)[0] ?? ''
  return OWN.get(path) ?? endpointFor(method, target)?.route ?? (isServed(target) ? routeOf(target) : undefined)
}
