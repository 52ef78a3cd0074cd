import type { Duplex } from 'node:stream'
import { createHeadReader, type HeadAndRest } from './response-head.ts'

/**
 * Reads the head of a response off a socket and leaves the socket paused behind it.
 *
 * Rejects when the socket ends or breaks first, and with `upstream_invalid_response` on what is no HTTP/1.x.
 *
 * @example
 * const { head, rest } = await readHead(socket)
 */
export function readHead(socket: Duplex): Promise<HeadAndRest> {
  return new Promise((resolve, reject) => {
    const read = createHeadReader()
    const stop = (): void => {
      socket.pause()
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail)
    }
    const fail = (cause: unknown): void => {
      stop()
      reject(cause)
    }
    const onEnd = (): void => fail(new Error('the connection ended before an answer'))
    const onData = (chunk: Uint8Array): void => {
      try {
        const answer = read(chunk)
        if (answer === undefined) return
        stop()
        resolve(answer)
      } catch (cause) {
        fail(cause)
      }
    }
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail)
    // A head may have been read off it before, and it was left paused behind that.
    socket.resume()
  })
}
