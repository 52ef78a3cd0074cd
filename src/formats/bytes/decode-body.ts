import { ignoreRejection } from '../ignore-rejection.ts'
import { formatOf } from './content-coding.ts'
import { decodedBytesMax } from './decode-limit.ts'
import { joinInSteps } from './join-bytes.ts'

/** What a body decodes to; `too_large`: more than was allowed, or than an honest one of its length does; undefined: it has a coding that is not known, or not true, or it was cut. */
export type Decoded = Uint8Array<ArrayBuffer> | 'too_large' | undefined

/**
 * Decodes a body as its `Content-Encoding` says, which may be a list (RFC 9110 §8.4). One that was cut is not decoded, nor one
 * with something behind its end. `onBytes` is told of each piece that is held, before it is kept;
 * a promise that it gives is waited for.
 *
 * @example
 * const plain = await decodeBody(bytes, headers.get('content-encoding'), 16 * 1024 * 1024)
 */
export async function decodeBody(
  bytes: Uint8Array<ArrayBuffer>,
  codings: string | null,
  bytesMax: number,
  onBytes: OnBytes = nothing,
): Promise<Decoded> {
  const names = codingsOf(codings)
  if (names.length > CODINGS_MAX) return undefined
  // Of what came, also where it is encoded several times.
  const limits = { bytesMax: Math.min(bytesMax, decodedBytesMax(bytes.byteLength)), onBytes }
  let plain: Decoded = bytes
  // The last one was applied last.
  for (const coding of names.toReversed()) {
    if (!(plain instanceof Uint8Array)) return plain
    plain = await decodeOnce(plain, coding, limits)
  }
  return plain
}

/** Is told of bytes that are to be held; gives what is to be waited for. */
type OnBytes = (bytes: number) => Promise<void> | undefined

/** Nobody encodes more often: each time takes as long as the first. */
const CODINGS_MAX = 4

function nothing(): undefined {}

interface DecodeLimits {
  readonly bytesMax: number
  readonly onBytes: OnBytes
}

/**
 * Whether a `Content-Encoding` says anything: `identity` doesn't.
 *
 * @example
 * if (isEncoded(headers.get('content-encoding'))) …
 */
export function isEncoded(codings: string | null): boolean {
  return codingsOf(codings).length > 0
}

/**
 * Whether a `Content-Encoding` names known codings only, or none.
 *
 * @example
 * if (canDecode(headers.get('content-encoding'))) …
 */
export function canDecode(codings: string | null): boolean {
  return codingsOf(codings).every((coding) => formatOf(coding) !== undefined)
}

/**
 * Decodes a body as it comes, as its `Content-Encoding` says, which must name known codings only.
 *
 * @example
 * const plain = decodeStream(answer.body, headers.get('content-encoding'))
 */
export function decodeStream(body: ReadableStream<Uint8Array>, codings: string | null): ReadableStream<Uint8Array> {
  // The last one was applied last.
  return codingsOf(codings).reduceRight((encoded, coding) => {
    const format = formatOf(coding)
    const bytes = encoded as ReadableStream<Uint8Array<ArrayBuffer>>
    return format === undefined ? encoded : bytes.pipeThrough(new DecompressionStream(format))
  }, body)
}

/**
 * What a `Content-Encoding` names, in the order in which it was applied; `identity` is nothing.
 *
 * @example
 * const [coding, ...others] = codingsOf(headers.get('content-encoding'))
 */
export function codingsOf(codings: string | null): readonly string[] {
  if (codings === null) return []
  const names = codings.split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

async function decodeOnce(bytes: Uint8Array<ArrayBuffer>, coding: string, limits: DecodeLimits): Promise<Decoded> {
  const format = formatOf(coding)
  if (format === undefined) return undefined
  const plain = await inflate(bytes, format, limits)
  // "deflate" is zlib's form (RFC 9110 §8.4.1.2); what is sent without its frame is taken by all clients, too.
  return plain === undefined && format === 'deflate' ? await inflate(bytes, 'deflate-raw', limits) : plain
}

async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  format: Bun.CompressionFormat,
  { bytesMax, onBytes }: DecodeLimits,
): Promise<Decoded> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const next = await reader.read().catch(() => undefined)
      if (next === undefined) return undefined
      if (next.done) return await joinAll(chunks, onBytes)
      size += next.value.byteLength
      if (size > bytesMax) return 'too_large'
      const resting = onBytes(next.value.byteLength)
      if (resting !== undefined) await resting
      chunks.push(next.value)
    }
  } finally {
    await ignoreRejection(reader.cancel())
  }
}

async function joinAll(chunks: readonly Uint8Array[], onBytes: OnBytes): Promise<Uint8Array<ArrayBuffer>> {
  const joining = joinInSteps(chunks)
  for (;;) {
    const { done, value } = joining.next()
    if (done === true) return value
    const resting = onBytes(0)
    if (resting !== undefined) await resting
  }
}
