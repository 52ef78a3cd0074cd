import type { Deadlines } from '../../timing/deadlines.ts'
import type { TurnBody } from './turn.ts'

/**
 * How long a client that has its last answer may go on sending, in milliseconds: one that meets a closed connection
 * while it writes takes that for the outcome, and never looks at the answer.
 */
export const LINGER_MS = 2_000

/** Reads what is still sent of a body, for a moment; what nobody wants of it is dropped. Never rejects. */
export function readRest(body: TurnBody, deadlines: Deadlines): Promise<void> {
  return new Promise((resolve) => {
    const limit = deadlines.start(LINGER_MS, resolve)
    body.onceOver(() => {
      limit.clear()
      resolve()
    })
    // What is being read is still on its way to the upstream, which takes it at its own pace.
    if (!body.isBeingRead) body.drop()
  })
}
