import type { ServerResponse } from 'node:http'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'

/** What writing a response needs. */
export interface WriteOptions {
  readonly deadlines: Deadlines
  /** How long a client may take nothing before it is cut; 0: for ever. */
  readonly writeIdleMs: number
  /** Whether the connection ends with this response. */
  readonly isLast: boolean
  /** Awaited when the whole body has been written, before the response ends, and with it a last connection. */
  readonly beforeEnd?: () => Promise<void>
}

/**
 * Writes a standard `Response` to the client: its headers at once, its chunks as they come, never ahead of the client.
 *
 * A body that fails breaks the connection, so that nobody takes what was sent for the whole. Resolves when the
 * response is over in whichever way; rejects only where its head can't be written, before a byte is.
 */
export async function writeResponse(response: Response, out: ServerResponse, options: WriteOptions): Promise<void> {
  if (out.destroyed) {
    await response.body?.cancel().catch(() => undefined)
    return
  }
  out.writeHead(response.status, reasonOf(response), headersOf(response, options.isLast))
  if (response.body === null) {
    if (options.beforeEnd !== undefined) out.flushHeaders()
    await end(out, options)
    return
  }
  const reader = response.body.getReader()
  const leave = (): void => void reader.cancel().catch(() => undefined)
  out.once('close', leave)
  // A chunk that is there already shares a packet with the head; the head of one that is to come goes at once.
  const late = setImmediate(() => out.flushHeaders())
  try {
    for (;;) {
      const { done, value } = await reader.read()
      clearImmediate(late)
      if (done) break
      if (!out.write(value)) await drained(out, options)
    }
    out.off('close', leave)
    await end(out, options)
  } catch {
    // Why it failed is in the exchange's record.
    clearImmediate(late)
    breakOff(out, options)
  }
}

async function end(out: ServerResponse, { beforeEnd }: WriteOptions): Promise<void> {
  await beforeEnd?.()
  if (!out.destroyed) out.end()
}

/** Ends a connection in the midst of a response: what was written still reaches the client, and no proper end does. */
function breakOff(out: ServerResponse, options: WriteOptions): void {
  const { socket } = out
  if (socket === null || out.destroyed) return void out.destroy()
  // Where the end of the connection is the proper end of the body (HTTP/1.0), only a reset tells.
  if (out.req.httpVersion === '1.0' && !out.hasHeader('content-length')) return void socket.resetAndDestroy()
  out.once('close', cutWhereStalled(out, options))
  // The response's own destroy() would drop what is still on its way, the last event among it.
  socket.destroySoon()
}

/** The upstream's own reason, unless it has what a status line may not hold (RFC 9112 §4). */
function reasonOf({ statusText }: Response): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : ''
}

function headersOf(response: Response, isLast: boolean): string[] {
  const flat: string[] = []
  for (const [name, value] of response.headers) flat.push(name, value)
  if (isLast) flat.push('connection', 'close')
  return flat
}

/** Resolves when the client has taken what was written, or is gone, or has been cut for taking nothing. */
function drained(out: ServerResponse, options: WriteOptions): Promise<void> {
  return new Promise((resolve) => {
    const stop = cutWhereStalled(out, options)
    const settle = (): void => {
      stop()
      out.off('drain', settle)
      out.off('close', settle)
      resolve()
    }
    out.on('drain', settle)
    out.on('close', settle)
    if (out.destroyed) settle()
  })
}

/** Cuts a client that takes nothing of what waits for it; one that takes little, however slowly, goes on. */
function cutWhereStalled(out: ServerResponse, { deadlines, writeIdleMs }: WriteOptions): () => void {
  const watch = (waiting: number): Deadline =>
    deadlines.start(writeIdleMs, () => {
      if (out.writableLength < waiting) stalled = watch(out.writableLength)
      else out.destroy()
    })
  let stalled = watch(out.writableLength)
  return () => stalled.clear()
}
