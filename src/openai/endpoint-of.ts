/**
 * The path of a request target below `/v1/`, without the query: `chat/completions`.
 *
 * @example
 * const endpoint = endpointOf(exchange.requestTarget)
 */
export function endpointOf(target: string): string {
  const from = target.startsWith('/v1/') ? '/v1/'.length : 1
  const end = target.indexOf('?')
  return end === -1 ? target.slice(from) : target.slice(from, end)
}
