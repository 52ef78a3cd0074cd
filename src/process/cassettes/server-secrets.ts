import type { Config } from '../../config/config.ts'
import type { Secret } from '../../config/secret.ts'
import type { DeclaredRecords } from '../../config/sections/projects.ts'
import { isSecretName } from '../../formats/secrets/secret-names.ts'
import { secretsOf } from '../../formats/secrets/secrets-in-headers.ts'

/**
 * Lists all keys, tokens and passwords in a server's configuration, in clear.
 *
 * @example
 * const secrets = serverSecrets(config)
 */
export function serverSecrets({ auth, adminKey, upstream, settings }: Config): readonly string[] {
  const { upstreams, cache, ledger, records } = settings
  const own = upstream.apiKey === undefined ? [] : [upstream.apiKey.reveal()]
  const addresses = [
    cache.store,
    ledger.store,
    ledger.limits,
    ...upstreams.map(({ proxy }) => (proxy === 'none' ? undefined : proxy)),
  ]
  const others = upstreams.flatMap(({ keys, headers, query }) => [
    ...keys.map((key) => key.reveal()),
    ...secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value.reveal()]))),
    ...query.filter(([name]) => isSecretName(name)).map(([, value]) => value.reveal()),
  ])
  return [
    ...new Set([
      ...auth.tokens.map(({ token }) => token.reveal()),
      ...[adminKey, ...declaredSecrets(records)].flatMap((secret) => secret?.reveal() ?? []),
      ...own,
      ...others,
      ...addresses.flatMap(passwordIn),
    ]),
  ]
}

function declaredSecrets({ projects, adminKeys }: DeclaredRecords): (Secret | undefined)[] {
  return [...projects.flatMap(({ keys }) => keys), ...adminKeys].map(({ secret }) => secret)
}

/** Gives the password in an address, as it is written there and decoded. */
function passwordIn(address: Secret | undefined): string[] {
  const password = address === undefined ? undefined : URL.parse(address.reveal())?.password
  return password === undefined || password === '' ? [] : [password, decodeURIComponent(password)]
}
