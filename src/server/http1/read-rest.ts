import type { Deadlines } from '../../timing/deadlines.ts'
import { LINGER_MS } from './linger.ts'
import type { TurnBody } from './turn.ts'

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
