import { secretsOf } from '../../cassette/secrets.ts'
import type { Config } from '../../config/config.ts'

/** Parameters of an upstream's URL whose values are keys. */
const SECRET_PARAMETER = /key|token|secret|sig|password/i

/**
 * All keys and tokens that a server's configuration has, whoever they are for.
 *
 * @example
 * const secrets = serverSecrets(config)
 */
export function serverSecrets({ auth, upstream, settings: { upstreams } }: Config): readonly string[] {
  const own = upstream.apiKey === undefined ? [] : [upstream.apiKey]
  const others = upstreams.flatMap(({ keys, headers, query }) => [
    ...keys,
    ...secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value]))),
    ...query.filter(([name]) => SECRET_PARAMETER.test(name)).map(([, value]) => value),
  ])
  return [...new Set([...auth.tokens.map(({ secret }) => secret), ...own, ...others])]
}
