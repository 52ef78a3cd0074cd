import { Secret } from '../config/secret.ts'
import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import { isSecretName } from '../formats/secret-names.ts'
import { isSecretText, secretsOf } from '../formats/secrets-in-headers.ts'
import { createMask, type Mask } from '../upstream/mask.ts'

/**
 * Makes what gives the mask over all that goes to an upstream with a call and is secret: the key, and what of the upstream's own headers
 * and parameters has the name of a secret. Each is made once; undefined: nothing is to be hidden.
 *
 * @example
 * const mask = createAccountMasks()(deployment.upstream, deployment.key)
 */
export function createAccountMasks(): (upstream: UpstreamSettings, key: Secret | undefined) => Mask | undefined {
  const made = new Map<UpstreamSettings, Map<Secret | undefined, Mask | undefined>>()
  return (upstream, key) => {
    let masks = made.get(upstream)
    if (masks === undefined) {
      masks = new Map()
      made.set(upstream, masks)
    }
    if (!masks.has(key)) masks.set(key, createMask([...(key === undefined ? [] : [key]), ...ownSecrets(upstream)]))
    return masks.get(key)
  }
}

function ownSecrets({ headers, query }: UpstreamSettings): readonly Secret[] {
  const inHeaders = secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value.reveal()])))
  const inQuery = query.filter(([name, value]) => isSecretName(name) && isSecretText(value.reveal()))
  return [...inHeaders.map((text) => new Secret(text)), ...inQuery.map(([, value]) => value)]
}
