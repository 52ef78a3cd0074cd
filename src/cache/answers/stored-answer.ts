import { copyInSteps } from '../../formats/bytes/join-bytes.ts'
import type { TimedChunk } from '../../timing/paced-stream.ts'
import { inSlices } from '../../timing/slices.ts'
import { checksumInSteps } from './checksum.ts'

/** A complete answer, as a store keeps it. */
export interface StoredAnswer {
  readonly status: number
  /** End-to-end headers, without those that belong to one exchange only. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body as it came. */
  readonly chunks: readonly TimedChunk[]
  /** Milliseconds since 1970. */
  readonly storedAt: number
  readonly ttlMs: number
}

/** The head in front of the bytes, in JSON. */
interface Head {
  readonly status: number
  readonly headers: StoredAnswer['headers']
  /** The length of each chunk, and its time. */
  readonly chunks: readonly (readonly [bytes: number, atMs: number])[]
  readonly storedAt: number
  readonly ttlMs: number
}

/** `NXA`, and the version of the form. */
const MAGIC = 0x4e_58_41_01
/** The magic number, the length of the head, and the checksum of all that follows it. */
const PREFIX_BYTES = 16

const UTF_8 = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * Encodes an answer for a store: a short head in JSON, and the body as it is. At once, or for a large answer in slices.
 *
 * @example
 * const encoding = encodeAnswer(answer)
 * const bytes = encoding instanceof Promise ? await encoding : encoding
 */
export function encodeAnswer(answer: StoredAnswer): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  return inSlices(encodeInSteps(answer))
}

function* encodeInSteps({
  status,
  headers,
  chunks,
  storedAt,
  ttlMs,
}: StoredAnswer): Generator<void, Uint8Array<ArrayBuffer>, void> {
  const sizes = chunks.map(({ bytes, atMs }) => [bytes.byteLength, Math.round(atMs * 10) / 10] as const)
  const head = UTF_8.encode(JSON.stringify({ status, headers, chunks: sizes, storedAt, ttlMs } satisfies Head))
  const bodyBytes = chunks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  const encoded = new Uint8Array(PREFIX_BYTES + head.byteLength + bodyBytes)
  encoded.set(head, PREFIX_BYTES)
  const parts = chunks.map(({ bytes }) => bytes)
  yield* copyInSteps(parts, encoded, PREFIX_BYTES + head.byteLength)
  const [low, high] = yield* checksumInSteps(encoded.subarray(PREFIX_BYTES))
  const prefix = new DataView(encoded.buffer)
  prefix.setUint32(0, MAGIC)
  prefix.setUint32(4, head.byteLength)
  prefix.setUint32(8, low)
  prefix.setUint32(12, high)
  return encoded
}

/**
 * Decodes an answer, at once or for a large one in slices. Its chunks are views of `bytes`, which must not change from then on.
 * undefined: the bytes are damaged, or another version's.
 *
 * @example
 * const decoding = decodeAnswer(bytes)
 * const answer = decoding instanceof Promise ? await decoding : decoding
 */
export function decodeAnswer(bytes: Uint8Array): StoredAnswer | undefined | Promise<StoredAnswer | undefined> {
  return inSlices(decodeInSteps(bytes))
}

/**
 * Whether two encoded answers are the same one, by their lengths and their checksums.
 *
 * @example
 * if (hasSamePrefix(known.bytes, bytes)) return known.answer
 */
export function hasSamePrefix(one: Uint8Array, other: Uint8Array): boolean {
  if (one.byteLength !== other.byteLength) return false
  for (let at = 0; at < PREFIX_BYTES; at += 1) if (one[at] !== other[at]) return false
  return true
}

function* decodeInSteps(bytes: Uint8Array): Generator<void, StoredAnswer | undefined, void> {
  if (bytes.byteLength < PREFIX_BYTES) return undefined
  const prefix = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES)
  if (prefix.getUint32(0) !== MAGIC) return undefined
  const [low, high] = yield* checksumInSteps(bytes.subarray(PREFIX_BYTES))
  if (prefix.getUint32(8) !== low || prefix.getUint32(12) !== high) return undefined
  const headEnd = PREFIX_BYTES + prefix.getUint32(4)
  // The checksum leaves the head's length out: a wrong length is found because the head is no JSON then, or doesn't fit the body.
  const head = parseHead(bytes.subarray(PREFIX_BYTES, headEnd))
  if (head === undefined) return undefined
  const chunks: TimedChunk[] = []
  let at = headEnd
  for (const [length, atMs] of head.chunks) {
    chunks.push({ bytes: bytes.subarray(at, at + length), atMs })
    at += length
  }
  if (at !== bytes.byteLength) return undefined
  return { ...head, chunks }
}

function parseHead(bytes: Uint8Array): Head | undefined {
  try {
    return JSON.parse(DECODER.decode(bytes)) as Head
  } catch {
    return undefined
  }
}
