import type { Config } from '../../config/config.ts'
import { isSecretName } from '../../formats/secret-names.ts'
import { secretsOf } from '../../formats/secrets-in-headers.ts'

/**
 * All keys and tokens that a server's configuration has, whoever they are for.
 *
 * @example
 * const secrets = serverSecrets(config)
 */
export function serverSecrets({ auth, upstream, settings: { upstreams } }: Config): readonly string[] {
  const own = upstream.apiKey === undefined ? [] : [upstream.apiKey.reveal()]
  const others = upstreams.flatMap(({ keys, headers, query }) => [
    ...keys.map((key) => key.reveal()),
    ...secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value.reveal()]))),
    ...query.filter(([name]) => isSecretName(name)).map(([, value]) => value.reveal()),
  ])
  return [...new Set([...auth.tokens.map(({ secret }) => secret.reveal()), ...own, ...others])]
}
