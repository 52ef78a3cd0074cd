import { openRawClient, type RawResponse } from '../../helpers/raw-client.ts'
import type { FaultCase } from './fault-cases.ts'
import { FAULT_HEADER } from './faulty-server.ts'
import { TARGETS } from './wire-answers.ts'

/** How a call ended for its caller. */
export interface FaultEnd {
  /** undefined: the connection ended without a head. */
  readonly response: RawResponse | undefined
  readonly endedAt: number
  /** Whether it had not ended when its time was up. */
  readonly isHung: boolean
}

/** What calls ask for that have no model of their own. */
export const MODEL = 'm'

/** Makes the call of a case on a connection of its own. */
export async function callWithFault(
  { id, shape, deployment }: FaultCase,
  port: number,
  msMax: number,
): Promise<FaultEnd> {
  const client = await openRawClient(port)
  client.write(requestOf(TARGETS[shape], bodyFor(deployment ?? MODEL, shape.startsWith('stream')), id))
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), msMax)
  const answered = client.response().catch(() => undefined)
  const first = await Promise.race([answered, late.promise])
  const endedAt = performance.now()
  clearTimeout(timer)
  client.leave()
  return { response: first === 'late' ? undefined : first, endedAt, isHung: first === 'late' }
}

/** How long a call takes that meets no fault: what this machine makes of everything just now, in ms. */
export async function healthyCallMs(port: number): Promise<number> {
  const startedAt = performance.now()
  const client = await openRawClient(port)
  client.write(requestOf('/v1/chat/completions', bodyFor(MODEL, false), undefined))
  await client.response()
  client.leave()
  return performance.now() - startedAt
}

function bodyFor(model: string, isStream: boolean): string {
  const messages = [{ role: 'user', content: 'hi' }]
  return JSON.stringify({ model, input: 'a', voice: 'v', messages, ...(isStream && { stream: true }) })
}

function requestOf(target: string, body: string, id: string | undefined): string {
  const own = id === undefined ? '' : `X-Request-Id: ${safe(id)}\r\n${FAULT_HEADER}: ${id}\r\n`
  return `POST ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-callers-own\r\nContent-Type: application/json\r\n${own}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** A case's id as the log has it. */
export function safe(id: string): string {
  return id.replaceAll('/', '.')
}
