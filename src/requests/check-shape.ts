import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { assertRequest } from '../openai/endpoints.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { Route } from '../routing/targets/router.ts'
import type { OutgoingBody } from './outgoing-body.ts'

/** A body that the rules have changed is read again up to this length. */
const READ_AGAIN_BYTES_MAX = 64 * 1024

/**
 * Refuses, in OpenAI's words, a request that breaks OpenAI's contract for certain, where only OpenAI or Azure OpenAI may answer it. Other
 * servers have forms of their own, and only they know them. A long body that has not been looked into is the upstream's to judge.
 *
 * Throws `invalid_parameter`.
 *
 * @example
 * checkShape(exchange, outgoing, route)
 */
export function checkShape({ endpoint }: Exchange, outgoing: OutgoingBody, { deployments }: Route): void {
  const { value } = outgoing
  if (endpoint === undefined || value === undefined || !deployments.every(isOpenAi)) return
  try {
    assertRequest(endpoint, value)
  } catch (refusal) {
    const going = outgoing.bodyFor(undefined)
    // The rules may have made it right.
    const isLong = going instanceof Promise
    if (!(isLong || going instanceof Uint8Array) || !outgoing.isChangedFor(undefined)) throw refusal
    // The upstream judges a long body: a second reading would keep other requests waiting.
    if (isLong || going.byteLength > READ_AGAIN_BYTES_MAX) return
    const changed: unknown = JSON.parse(new TextDecoder().decode(going))
    if (isJsonObject(changed)) assertRequest(endpoint, changed)
  }
}

function isOpenAi({ upstream }: Deployment): boolean {
  return upstream.vendor !== undefined
}
