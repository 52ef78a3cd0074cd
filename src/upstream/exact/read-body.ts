import type { Duplex } from 'node:stream'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import type { HeadAndRest, ResponseHead } from './read-head.ts'

/** Removes the framing of a body: hands its bytes to `emit`, and returns whether the body is whole. */
type BodyDecoder = (bytes: Uint8Array, emit: (payload: Uint8Array) => void) => boolean

/** The limit on a chunk-size line or a trailer: no honest server sends a longer one. */
const LINE_CHARS_MAX = 4096
const LF = 0x0a
const CHUNK_SIZE = /^([0-9a-f]{1,12})[\t ]*(?:;.*)?$/i

/**
 * Makes the decoder of a response's body by its framing (RFC 9112 §6.3), and says whether the end of the connection ends the body.
 * Throws `upstream_invalid_response`, here or while decoding, for a framing that is unknown or broken.
 */
function createBodyDecoder({ status, headers }: ResponseHead): {
  readonly decode: BodyDecoder
  readonly endsWithConnection: boolean
} {
  const coding = headers.get('transfer-encoding')?.trim().toLowerCase()
  if (status === 204 || status === 304) return { decode: () => true, endsWithConnection: false }
  if (coding === 'chunked') return { decode: chunkDecoder(), endsWithConnection: false }
  if (coding !== undefined) throw invalid('an unknown transfer coding')
  const length = headers.get('content-length')
  if (length === null) return { decode: untilClose, endsWithConnection: true }
  const [first = '', ...others] = length.split(',').map((value) => value.trim())
  if (!/^\d{1,15}$/.test(first) || others.some((value) => value !== first)) throw invalid('a malformed length')
  return { decode: lengthDecoder(Number(first)), endsWithConnection: false }
}

const untilClose: BodyDecoder = (bytes, emit) => {
  emit(bytes)
  return false
}

function lengthDecoder(length: number): BodyDecoder {
  let left = length
  return (bytes, emit) => {
    const payload = bytes.subarray(0, left)
    left -= payload.byteLength
    emit(payload)
    return left === 0
  }
}

function chunkDecoder(): BodyDecoder {
  let state: 'size' | 'data' | 'data end' | 'trailers' = 'size'
  let line = ''
  let left = 0

  /** Returns whether this line was the last of the body. */
  const takeLine = (text: string): boolean => {
    if (state === 'trailers') return text === ''
    if (state === 'data end') {
      if (text !== '') throw invalid('a chunk longer than its size')
      state = 'size'
      return false
    }
    const size = CHUNK_SIZE.exec(text)?.[1]
    if (size === undefined) throw invalid('a malformed chunk size')
    left = Number.parseInt(size, 16)
    state = left === 0 ? 'trailers' : 'data'
    return false
  }

  return (bytes, emit) => {
    let at = 0
    while (at < bytes.byteLength) {
      if (state === 'data') {
        const payload = bytes.subarray(at, at + left)
        at += payload.byteLength
        left -= payload.byteLength
        emit(payload)
        if (left === 0) state = 'data end'
        continue
      }
      const end = bytes.indexOf(LF, at)
      line += Buffer.from(bytes.subarray(at, end === -1 ? bytes.byteLength : end)).toString('latin1')
      if (line.length > LINE_CHARS_MAX) throw invalid('an endless line')
      if (end === -1) return false
      at = end + 1
      const text = line.replace(/\r$/, '')
      line = ''
      if (takeLine(text)) return true
    }
    return false
  }
}

/** The answer to an upgrade is an error in words: no such body is longer. */
const BODY_BYTES_MAX = 1024 * 1024

/**
 * Reads the whole body behind a response's head from a socket, up to 1 MiB.
 *
 * Every chunk pushes `idle` back. Rejects with the socket's error, or with `upstream_invalid_response` when the body is too
 * large, cut short, or its framing is unknown.
 *
 * @example
 * const body = await readBody(socket, answer, deadlines.start(idleMs, () => socket.destroy(cause)))
 */
export async function readBody(
  socket: Duplex,
  { head, rest }: HeadAndRest,
  idle: Deadline,
): Promise<Uint8Array<ArrayBuffer>> {
  const { decode, endsWithConnection } = createBodyDecoder(head)
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
