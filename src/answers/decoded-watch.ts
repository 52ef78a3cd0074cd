import { type ChunkDecoder, createChunkDecoder } from '../formats/bytes/chunk-decoder.ts'
import { decodedBytesMax } from '../formats/bytes/decode-limit.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { ApiError } from '../openai/api-error.ts'
import type { BodyMask } from './body-mask.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The bytes that are decoded at a time, which come to 4 MiB at the most. */
const PIECE_BYTES = 4 * 1024

/** The options of searching an encoded body. */
export interface DecodedWatchOptions {
  /** Makes the mask that finds the secrets. */
  readonly makeMask: () => BodyMask
  /** true: a body that can't be decoded does not go on; false: it goes on as it came, and its raw bytes are masked. */
  readonly isStrict: boolean
}

/**
 * Searches an encoded body as it comes. Stars can't be put into encoded bytes: a chunk with a secret does not go on, and no later
 * chunk does. A chunk waits only while its decoded bytes may end with the beginning of a secret.
 *
 * For such a chunk, `add` and `end` reject with `upstream_invalid_response`.
 *
 * @example
 * const watch = new DecodedWatch('gzip', { makeMask: () => new StarFeed(stars), isStrict: false })
 * write(await watch.add(chunk))
 */
export class DecodedWatch {
  /** undefined: the coding is `deflate`, and its first bytes have not come. */
  #decoder: ChunkDecoder | undefined
  readonly #decoded: BodyMask
  readonly #isStrict: boolean
  /** Masks the bytes as they are, once it is clear that they can't be decoded. */
  readonly #raw: BodyMask
  #isReadable = true
  #held: Bytes[] = []
  #bytes = 0
  #decodedBytes = 0

  constructor(format: Bun.CompressionFormat, { makeMask, isStrict }: DecodedWatchOptions) {
    this.#decoder = format === 'deflate' ? undefined : createChunkDecoder(format)
    this.#decoded = makeMask()
    this.#raw = makeMask()
    this.#isStrict = isStrict
  }

  /** Takes a chunk, and gives the bytes that can go on now, maybe none. */
  async add(chunk: Bytes): Promise<Uint8Array> {
    if (!this.#isReadable) return this.#raw.add(chunk)
    this.#held.push(chunk)
    this.#bytes += chunk.byteLength
    let unread = chunk
    if (this.#decoder === undefined) {
      unread = joinBytes(this.#held)
      if (unread.byteLength < ZLIB_HEADER_BYTES) return new Uint8Array()
      this.#decoder = createChunkDecoder(hasZlibHeader(unread) ? 'deflate' : 'deflate-raw')
    }
    for (let at = 0; at < unread.byteLength && this.#isReadable; at += PIECE_BYTES) {
      await this.#look(this.#decoder, unread.subarray(at, at + PIECE_BYTES))
    }
    if (this.#decoded.hasHidden) throw refused('the key in an encoded answer')
    return this.#isReadable && this.#decoded.isOpen ? new Uint8Array() : this.#release()
  }

  /** Ends the body. Gives the bytes that were still waiting. */
  end(): Uint8Array {
    this.#decoded.end()
    this.close()
    if (this.#decoded.hasHidden) throw refused('the key at the end of an encoded answer')
    return this.#isReadable ? this.#release() : this.#raw.end()
  }

  /** Releases the decoder. */
  close(): void {
    this.#decoder?.close()
  }

  async #look(decoder: ChunkDecoder, piece: Bytes): Promise<void> {
    const plain = await decoder.add(piece)
    for (const bytes of plain ?? []) {
      this.#decodedBytes += bytes.byteLength
      this.#decoded.add(bytes)
    }
    if (plain !== undefined && this.#decodedBytes <= decodedBytesMax(this.#bytes)) return
    if (this.#isStrict) throw refused('an encoded error that cannot be searched for the key')
    this.#isReadable = false
    this.close()
  }

  #release(): Uint8Array {
    const held = this.#held
    this.#held = []
    const bytes = held.length === 1 && held[0] !== undefined ? held[0] : joinBytes(held)
    return this.#isReadable ? bytes : this.#raw.add(bytes)
  }
}

const ZLIB_HEADER_BYTES = 2

/** Whether bytes begin as zlib's format does (RFC 1950 §2.2). `deflate` means that format; clients take it without the frame as well. */
function hasZlibHeader([method = 0, flags = 0]: Bytes): boolean {
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0
}

function refused(cause: string): ApiError {
  return new ApiError('upstream_invalid_response', { cause })
}
