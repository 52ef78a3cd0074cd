import { openRawClient } from '../../helpers/raw-client.ts'
import { parseAnswers } from './parse-answers.ts'
import type { Reading } from './read-requests.ts'

/** What a connection was answered. */
export interface Driven {
  readonly statuses: readonly number[]
  readonly isClosed: boolean
  /** Whether what had to happen did not, for as long as it may take. */
  readonly isHung: boolean
  /** Bytes that are no answer. */
  readonly rest: string
}

/** How a connection is driven. */
export interface Drive {
  readonly port: number
  /** The pieces, each in a packet of its own. */
  readonly parts: readonly Buffer[]
  readonly reading: Reading
  /** How long a connection may go without what has to happen. */
  readonly msMax: number
  /** Whether the server's own timer is waited for where a request's end is missing. */
  readonly isPatient: boolean
}

/** So that two pieces are two packets, and the server has looked at the first before the second comes. */
const GAP_MS = 2

/**
 * Sends the pieces of a connection, and waits for what a strict reader would have of the server: an answer for each request, and the end
 * where the connection has one.
 */
export async function drive({ port, parts, reading, msMax, isPatient }: Drive): Promise<Driven> {
  const client = await openRawClient(port)
  client.socket.setNoDelay(true)
  const { requests, end } = reading
  const methods = requests.map(({ method }) => method)
  const mustClose = end === 'malformed' || end === 'closing' || (isPatient && end === 'unfinished')
  const late = Promise.withResolvers<'late'>()
  // Who leaves a request unfinished without having been answered what came before has not waited for it.
  const isThrough = (received: Buffer): boolean =>
    !mustClose && parseAnswers(received, methods).statuses.length >= requests.length
  for (const [index, part] of parts.entries()) {
    if (index > 0) await Bun.sleep(parts.length > 8 ? 0 : GAP_MS)
    if (client.socket.destroyed) break
    client.write(part)
  }
  const timer = setTimeout(() => late.resolve('late'), msMax)
  const through = client.until(isThrough).then(
    () => 'through' as const,
    () => 'closed' as const,
  )
  const outcome = await Promise.race([late.promise, through])
  clearTimeout(timer)
  const { statuses, rest } = parseAnswers(client.received(), methods)
  client.leave()
  return { statuses, rest, isClosed: outcome === 'closed', isHung: outcome === 'late' }
}
