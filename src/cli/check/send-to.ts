import { setOwnCredentials } from '../../access/credentials.ts'
import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import { createProcessFetch } from '../../process/process-fetch.ts'
import { VERSION } from '../../process/program.ts'
import { createEgress } from '../../upstream/egress.ts'
import type { Destination } from '../../upstream/target.ts'

/** The time that an upstream may take to answer. */
export const ASK_TIMEOUT_MS = 10_000

/**
 * Sends one small request to an upstream, with its key and headers; the body of a POST is `{}`. Rejects with the system's error.
 *
 * @example
 * const response = await sendTo(upstream, key, 'GET', createEgress(upstream).locate('/v1/models'))
 */
export function sendTo(
  upstream: UpstreamSettings,
  key: Secret | undefined,
  method: 'GET' | 'POST',
  { url, target }: Destination,
): Promise<Response> {
  const headers = new Headers({ accept: 'application/json', 'user-agent': `NexCode/${VERSION}` })
  setOwnCredentials(headers, upstream, key)
  const body = method === 'GET' ? null : new TextEncoder().encode('{}')
  if (body !== null) headers.set('content-type', 'application/json')
  const how = { redirect: 'manual' as const, decompress: true, timeout: true, ...createEgress(upstream).reach }
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
  return createProcessFetch().fetch(url, { method, target, headers, body, signal, ...how })
}
