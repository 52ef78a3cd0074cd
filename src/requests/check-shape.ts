import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { assertRequest } from '../openai/endpoints.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { OutgoingBody } from './outgoing-body.ts'

/** What the rules have changed is read once more only where it is short. */
const READ_AGAIN_BYTES_MAX = 64 * 1024

/**
 * Refuses, in OpenAI's words, a request that is certainly wrong by OpenAI's contract, where nobody but OpenAI or Azure OpenAI may
 * answer it. Other servers have forms of their own, and only they know them.
 *
 * Throws `invalid_parameter`.
 *
 * @example
 * checkShape(exchange, outgoing, route)
 */
export function checkShape({ endpoint }: Exchange, outgoing: OutgoingBody, { deployments }: Route): void {
  if (endpoint === undefined || !deployments.every(isOpenAi)) return
  try {
    assertRequest(endpoint, outgoing.value)
  } catch (refusal) {
    const going = outgoing.bodyFor(undefined)
    // What the rules have made of it may be right.
    const isLong = going instanceof Promise
    if (!(isLong || going instanceof Uint8Array) || !outgoing.isChangedFor(undefined)) throw refusal
    // A long one is the upstream's to judge: read once more, it would keep others waiting.
    if (isLong || going.byteLength > READ_AGAIN_BYTES_MAX) return
    const value: unknown = JSON.parse(new TextDecoder().decode(going))
    if (isJsonObject(value)) assertRequest(endpoint, value)
  }
}

function isOpenAi({ upstream }: Deployment): boolean {
  return upstream.vendor !== undefined
}
