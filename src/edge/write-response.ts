import type { ServerResponse } from 'node:http'
import type { Deadlines } from '../timing/deadlines.ts'

/** What writing a response needs. */
export interface WriteOptions {
  readonly deadlines: Deadlines
  /** How long a client may take nothing before it is cut; 0: for ever. */
  readonly writeIdleMs: number
  /** Whether the connection ends with this response. */
  readonly isLast: boolean
}

/**
 * Writes a standard `Response` to the client: its headers at once, its chunks as they come, never ahead of the client.
 *
 * A body that fails breaks the connection, so that nobody takes what was sent for the whole. Resolves when the
 * response is over in whichever way, and never rejects.
 */
export async function writeResponse(response: Response, out: ServerResponse, options: WriteOptions): Promise<void> {
  if (out.destroyed) {
    await response.body?.cancel().catch(() => undefined)
    return
  }
  out.writeHead(response.status, response.statusText, headersOf(response, options.isLast))
  if (response.body === null) {
    out.end()
    return
  }
  // Without a length it may be long before the first chunk; with one, the head goes out with it, in one packet.
  if (!response.headers.has('content-length')) out.flushHeaders()
  const reader = response.body.getReader()
  const leave = (): void => void reader.cancel().catch(() => undefined)
  out.once('close', leave)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!out.write(value)) await drained(out, options)
    }
    out.off('close', leave)
    if (!out.destroyed) out.end()
  } catch {
    // Why it failed is in the exchange's record. What was written must still reach the client before the break.
    out.write('', () => out.destroy())
  }
}

function headersOf(response: Response, isLast: boolean): string[] {
  const flat: string[] = []
  for (const [name, value] of response.headers) flat.push(name, value)
  if (isLast) flat.push('connection', 'close')
  return flat
}

/** Resolves when the client has taken what was written, or is gone, or has been cut for taking nothing. */
function drained(out: ServerResponse, { deadlines, writeIdleMs }: WriteOptions): Promise<void> {
  return new Promise((resolve) => {
    const stalled = deadlines.start(writeIdleMs, () => out.destroy())
    const settle = (): void => {
      stalled.clear()
      out.off('drain', settle)
      out.off('close', settle)
      resolve()
    }
    out.on('drain', settle)
    out.on('close', settle)
    if (out.destroyed) settle()
  })
}
