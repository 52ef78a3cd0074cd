import type { Duplex } from 'node:stream'

/** A client that waits for an answer. */
export interface HeldClient {
  /** Stops watching, and gives the bytes that the client has sent meanwhile; only the first call gives any. */
  readonly release: () => Uint8Array
}

/** The most bytes that are kept of a client that speaks before it is answered, which it may not (RFC 6455 §4.1). */
const EARLY_BYTES_MAX = 64 * 1024

/**
 * Watches a client that waits for an answer: keeps the bytes that it sends, and calls `onGone` when it leaves.
 *
 * @example
 * const held = holdClient(client, head, () => abort.abort(new ApiError('client_closed')))
 */
export function holdClient(client: Duplex, head: Uint8Array, onGone: () => void): HeldClient {
  let early: Uint8Array[] = [head]
  let bytes = head.byteLength
  const take = (chunk: Uint8Array): void => {
    early.push(chunk)
    bytes += chunk.byteLength
    if (bytes > EARLY_BYTES_MAX) client.pause()
  }
  // A close follows each error of a socket, and is handled below.
  client.on('error', () => undefined)
  client.on('data', take).on('end', onGone).on('close', onGone)
  if (client.destroyed || client.readableEnded) onGone()
  return {
    release() {
      client.off('data', take).off('end', onGone).off('close', onGone)
      client.resume()
      const sent = Buffer.concat(early)
      early = []
      return sent
    },
  }
}
