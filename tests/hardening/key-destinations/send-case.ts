import { openRawClient } from '../../helpers/raw-client.ts'
import { AT_ONCE_MS, within } from '../../helpers/within.ts'
import { CASE } from './origins.ts'
import type { Draft, Place } from './places.ts'
import { SECRETS, SERVERS_SECRETS, type Setup } from './setups.ts'
import type { Sink, Visit } from './sink.ts'

/** A request with a setup that it is sent to. */
export interface KeyCase {
  readonly id: string
  readonly setup: Setup
  readonly place: Place
}

/** What a case has come to. */
export interface CaseOutcome {
  readonly visit: Visit | undefined
  /** Bytes of keys at the sink. */
  readonly keyBytes: number
  /** Why the promise is broken; undefined: it is not. */
  readonly message: string | undefined
}

/** Sends a case, and judges where it has led: the sink is its alone for that time. */
export async function sendCase({ id, setup, place }: KeyCase, sink: Sink): Promise<CaseOutcome> {
  sink.take()
  const client = await openRawClient(setup.port)
  client.write(Buffer.from(bytesOf(id, setup, place.write(sink)), 'latin1'))
  // Some are cut off without an answer, which is as good as one.
  await within(
    AT_ONCE_MS,
    id,
    client.response().catch(() => undefined),
  )
  const received = client.received().toString('latin1')
  client.leave()
  const visit = sink.take()
  const found = SECRETS.filter((secret) => visit?.text.includes(secret) === true)
  const keyBytes = found.reduce((sum, secret) => sum + secret.length, 0)
  return { visit, keyBytes, message: messageOf(id, setup, visit, found, received) }
}

function messageOf(
  id: string,
  { origin }: Setup,
  visit: Visit | undefined,
  found: readonly string[],
  received: string,
) {
  if (visit !== undefined) {
    return `${visit.connections} connections to the sink, with ${found.length} keys: ${JSON.stringify(visit.text.slice(0, 200))}`
  }
  const host = origin.hostsOf(id).find((one) => one !== origin.authority)
  if (host !== undefined) return `the origin was called by the name ${JSON.stringify(host)}`
  const shown = SERVERS_SECRETS.find((secret) => received.includes(secret))
  return shown === undefined ? undefined : `the caller was shown ${shown}`
}

function bytesOf(id: string, { credential }: Setup, draft: Draft): string {
  const { method, target, lines, hasHost, body, type = 'application/json' } = draft
  const framing = body === undefined ? [] : [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`]
  const isUpgrade = lines.some((line) => line.startsWith('Connection: Upgrade'))
  const all = [
    ...(hasHost === true ? [] : ['Host: localhost']),
    ...lines,
    `${CASE}: ${id}`,
    credential,
    ...framing,
    ...(isUpgrade ? [] : ['Connection: close']),
  ]
  return `${method} ${target} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body ?? ''}`
}
