import type { IncomingMessage } from 'node:http'
import type { Deadlines } from '../timing/deadlines.ts'

/** How long a client that has its answer may go on sending. */
const LINGER_MS = 2_000

/**
 * Reads what a client still sends when it has been answered, and drops what nobody wants: a client that meets a
 * closed connection while it writes takes that for the outcome, and never looks at the answer.
 *
 * Resolves when all is read, the client is gone or 2 s have passed; never rejects.
 *
 * @example
 * await readRest(message, request, deadlines)
 */
export function readRest(message: IncomingMessage, request: Request, deadlines: Deadlines): Promise<void> {
  return new Promise((resolve) => {
    const limit = deadlines.start(LINGER_MS, resolve)
    const settle = (): void => {
      limit.clear()
      resolve()
    }
    message.on('end', settle).on('error', settle).on('close', settle)
    if (message.complete || message.destroyed) settle()
    // A locked body is still on its way to the upstream, which takes it at its own pace.
    if (request.body?.locked === false) request.body.cancel().catch(() => undefined)
  })
}
