import type { Config } from '../../config/config.ts'
import type { Secret } from '../../config/secret.ts'
import { isSecretName } from '../../formats/secrets/secret-names.ts'
import { secretsOf } from '../../formats/secrets/secrets-in-headers.ts'

/**
 * Lists all keys, tokens and passwords in a server's configuration, in clear.
 *
 * @example
 * const secrets = serverSecrets(config)
 */
export function serverSecrets({ auth, upstream, settings: { upstreams, cache } }: Config): readonly string[] {
  const own = upstream.apiKey === undefined ? [] : [upstream.apiKey.reveal()]
  const addresses = [cache.store, ...upstreams.map(({ proxy }) => (proxy === 'none' ? undefined : proxy))]
  const others = upstreams.flatMap(({ keys, headers, query }) => [
    ...keys.map((key) => key.reveal()),
    ...secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value.reveal()]))),
    ...query.filter(([name]) => isSecretName(name)).map(([, value]) => value.reveal()),
  ])
  return [
    ...new Set([
      ...auth.tokens.map(({ token }) => token.reveal()),
      ...own,
      ...others,
      ...addresses.flatMap(passwordIn),
    ]),
  ]
}

/** Gives the password in an address, as it is written there and decoded. */
function passwordIn(address: Secret | undefined): string[] {
  const password = address === undefined ? undefined : URL.parse(address.reveal())?.password
  return password === undefined || password === '' ? [] : [password, decodeURIComponent(password)]
}
