import type { Duplex } from 'node:stream'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { decodeBody } from './body-decoder.ts'
import type { HeadAndRest } from './response-head.ts'

/** The answer to an upgrade is an error in words; what is larger is something else. */
const BODY_BYTES_MAX = 1024 * 1024

/**
 * Reads the whole body behind a response's head off a socket, up to 1 MiB.
 *
 * `idle` is pushed back by every chunk. Rejects with the socket's error, or `upstream_invalid_response` where the
 * body is too large, cut short, or framed in a way that cannot be told.
 *
 * @example
 * const body = await readBody(socket, answer, deadlines.start(idleMs, () => socket.destroy(cause)))
 */
export async function readBody(
  socket: Duplex,
  { head, rest }: HeadAndRest,
  idle: Deadline,
): Promise<Uint8Array<ArrayBuffer>> {
  const { decode, endsWithConnection } = decodeBody(head)
  const payloads: Uint8Array[] = []
  let bytes = 0
  const take = (payload: Uint8Array): void => {
    bytes += payload.byteLength
    if (bytes > BODY_BYTES_MAX) throw invalid(`a body of more than ${BODY_BYTES_MAX} bytes`)
    payloads.push(payload)
  }
  try {
    let isWhole = decode(rest, take)
    if (!isWhole) {
      for await (const chunk of socket) {
        idle.touch()
        isWhole = decode(chunk, take)
        if (isWhole) break
      }
    }
    if (!isWhole && !endsWithConnection) throw invalid('a body that was cut short')
    return Buffer.concat(payloads)
  } finally {
    idle.clear()
  }
}

function invalid(what: string): ApiError {
  return new ApiError('upstream_invalid_response', { cause: `upstream refused an upgrade with ${what}` })
}
