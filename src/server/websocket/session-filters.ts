import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { MeteredSession, SessionVerdict } from '../../metering/session/metered-session.ts'
import { ClientMessages } from './client-messages.ts'
import { closeFrame, textFrame } from './make-frame.ts'
import type { ByteFilter } from './pour.ts'
import { ServerMessages } from './server-messages.ts'

/** What a session's frames pass through, each way. */
export interface SessionFilters {
  readonly inward: ByteFilter
  readonly outward: ByteFilter
}

/** A policy has been violated (RFC 6455 §7.4.1). */
const POLICY = 1008

/**
 * Makes the filters of a session whose responses are counted: what its client says is judged before it goes on, what its upstream says is
 * heard. A refusal is an event among the upstream's; the session goes on, or ends with a close frame.
 *
 * @example
 * const { inward, outward } = sessionFilters(session, { masking, memory, bytesMax })
 */
export function sessionFilters(
  session: MeteredSession,
  deps: {
    readonly masking: ByteFilter | undefined
    readonly memory: MemoryBudget | undefined
    readonly bytesMax: number
  },
): SessionFilters {
  const { masking, memory, bytesMax } = deps
  const giveUp = (code: number, reason: string): void => {
    outward.close(closeFrame(code, reason))
    inward.close()
    // The one who pours sees that it is over.
    inward.onBytes?.(new Uint8Array())
  }
  const refuse = ({ reply, closing }: SessionVerdict): void => {
    if (reply !== undefined) outward.inject(textFrame(reply))
    if (closing !== undefined) giveUp(POLICY, closing)
  }
  const outward = new ServerMessages((text) => {
    void session.hear(text)?.then((verdict) => {
      if (verdict !== undefined) refuse(verdict)
    })
  }, masking)
  const inward = new ClientMessages({
    judge: (payload, isText) => session.judge(payload, isText),
    refuse,
    giveUp,
    bytesMax,
    memory,
  })
  return { inward, outward }
}
