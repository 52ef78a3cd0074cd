import type { Duplex } from 'node:stream'

/** A client that is kept waiting. */
export interface HeldClient {
  /** Lets it go, and gives what it has sent meanwhile; only the first call gives any. */
  readonly release: () => Uint8Array
}

/** A client may not speak before it is answered (RFC 6455 §4.1); one that does is heard to this extent. */
const EARLY_BYTES_MAX = 64 * 1024

/**
 * Watches a client that waits for an answer: keeps what it sends, and tells when it leaves.
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
  // A socket's error is followed by its close, which is what counts.
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
