import { endpointFor } from '../../openai/endpoints.ts'
import { OPENAPI_PATH } from './documentation.ts'
import { LIVENESS, READINESS } from './health.ts'
import { isServed, passthroughName } from './openai.ts'

/** This server's own paths, and their names in the log. */
const OWN: ReadonlyMap<string, string> = new Map([
  ...LIVENESS.map((path) => [path, 'health'] as const),
  ...READINESS.map((path) => [path, 'ready'] as const),
  ['/', 'home'],
  ['/favicon.ico', 'favicon'],
  ['/docs', 'docs'],
  [OPENAPI_PATH, 'openapi'],
])

/**
 * Names the endpoint of a request that was refused before it came to its route, for the log; undefined: there is no such endpoint.
 *
 * @example
 * exchange.endpointName = endpointNameOf('POST', '/v1/chat/completions') ?? NO_ENDPOINT_NAME // 'chat.completions'
 */
export function endpointNameOf(method: string, target: string): string | undefined {
  const path = target.split('?', 1)[0] ?? ''
  return OWN.get(path) ?? endpointFor(method, target)?.name ?? (isServed(target) ? passthroughName(target) : undefined)
}
