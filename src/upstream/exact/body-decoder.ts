import { ApiError } from '../../openai/api-error.ts'
import type { ResponseHead } from './response-head.ts'

/** Takes the bytes behind a head apart: tells the body's bytes by `emit`, and returns whether the body is whole. */
export type BodyDecoder = (bytes: Uint8Array, emit: (payload: Uint8Array) => void) => boolean

/** A chunk-size line or a trailer of more characters is no honest one. */
const LINE_CHARS_MAX = 4096
const LF = 0x0a
const CHUNK_SIZE = /^([0-9a-f]{1,12})[\t ]*(?:;.*)?$/i

/**
 * Makes the decoder of a response's body by its framing (RFC 9112 §6.3), and says whether the end of the
 * connection ends it.
 *
 * Throws `upstream_invalid_response` for a framing that cannot be told or is broken.
 *
 * @example
 * const { decode, endsWithConnection } = decodeBody(head)
 */
export function decodeBody({ status, headers }: ResponseHead): {
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

  /** Returns whether this line was the body's last. */
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

function invalid(what: string): ApiError {
  return new ApiError('upstream_invalid_response', { cause: `upstream refused an upgrade with ${what}` })
}
