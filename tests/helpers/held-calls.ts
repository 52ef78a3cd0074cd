import { openRawClient, postText, type RawClient } from './raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from './scripted-upstream.ts'
import { MESSAGES } from './send-request.ts'

/** An upstream whose answers are the test's. */
export interface HeldUpstream {
  readonly upstream: ScriptedUpstream
  /** All calls so far. */
  readonly arrived: readonly UpstreamConnection[]
  /** Resolves with the next call whose body is there. */
  readonly arrival: () => Promise<UpstreamConnection>
}

/** The answer of those calls. */
export const HELD_ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', choices: [] }

/** Starts it; the caller closes `upstream`. */
export async function startHeldUpstream(): Promise<HeldUpstream> {
  const arrived: UpstreamConnection[] = []
  const waiting: ((connection: UpstreamConnection) => void)[] = []
  const upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    arrived.push(connection)
    waiting.shift()?.(connection)
  })
  const arrival = (): Promise<UpstreamConnection> => new Promise((resolve) => void waiting.push(resolve))
  return { upstream, arrived, arrival }
}

/** The bytes of a chat completion under an `Idempotency-Key`. */
export function requestUnder(key: string): string {
  return postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES }), {
    'Idempotency-Key': key,
  })
}

/** The calls that `callBehind` makes. */
export const CALLS_BEHIND = 3

/**
 * Has requests under keys of their own made and answered, on a connection to a process that was sent others before. A store takes claims in
 * turn, so that those before wait for the call of their key by then.
 *
 * @example
 * other.write(requestUnder('once'))
 * await callBehind(again, held)
 */
export async function callBehind(client: RawClient, { arrival }: Pick<HeldUpstream, 'arrival'>): Promise<void> {
  for (let call = 0; call < CALLS_BEHIND; call += 1) {
    const arriving = arrival()
    const before = client.received().length
    client.write(requestUnder(crypto.randomUUID()))
    ;(await arriving).json(HELD_ANSWER)
    await client.until((received) => received.includes(HELD_ANSWER.id, before))
  }
}

/** The same on a connection of its own to a gateway of one process. */
export async function callBehindAt(port: number, held: Pick<HeldUpstream, 'arrival'>): Promise<void> {
  const client = await openRawClient(port)
  await callBehind(client, held)
  client.leave()
}
