import { createChunkDecoder } from '../formats/bytes/chunk-decoder.ts'
import { decodedBytesMax } from '../formats/bytes/decode-limit.ts'

/** The bytes that are decoded at a time, which come to 4 MiB at the most. */
const PIECE_BYTES = 4 * 1024
/** The most bytes that wait to be decoded. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024

/**
 * Reads an encoded body beside its way to the client, which waits for none of it: chunks are decoded in turn as they have passed. It gives up
 * at bytes that can't be decoded, that decode to far too much, or that come faster than they are decoded for too long.
 *
 * @example
 * const beside = new DecodedBeside('gzip', (plain) => reader.add(plain), (reading) => tally.waitFor(reading))
 */
export class DecodedBeside {
  readonly #decoder
  readonly #onPlain: (plain: Uint8Array) => void
  readonly #onReading: (reading: Promise<void>) => void
  #waiting: Uint8Array<ArrayBuffer>[] = []
  #waitingBytes = 0
  #bytes = 0
  #plainBytes = 0
  #isReading = false
  #isOver = false

  /** `onReading` gets a promise that resolves when all that has come so far is read. */
  constructor(
    format: Bun.CompressionFormat,
    onPlain: (plain: Uint8Array) => void,
    onReading: (reading: Promise<void>) => void,
  ) {
    this.#decoder = createChunkDecoder(format)
    this.#onPlain = onPlain
    this.#onReading = onReading
  }

  /** Takes a chunk that goes on. */
  add(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#waitingBytes += chunk.byteLength
    if (this.#waitingBytes > WAITING_BYTES_MAX) {
      this.#giveUp()
      return
    }
    this.#waiting.push(chunk.slice())
    if (this.#isReading) return
    this.#isReading = true
    this.#onReading(this.#readAll())
  }

  /** Releases the decoder once all that has come is read. */
  end(): void {
    this.#isOver = true
    if (!this.#isReading) this.#decoder.close()
  }

  async #readAll(): Promise<void> {
    for (let [chunk] = this.#waiting; chunk !== undefined; [chunk] = this.#waiting) {
      this.#waiting.shift()
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
        await this.#read(chunk.slice(at, at + PIECE_BYTES))
      }
      this.#waitingBytes -= chunk.byteLength
    }
    this.#isReading = false
    if (this.#isOver) this.#decoder.close()
  }

  async #read(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    const plain = await this.#decoder.add(piece)
    this.#bytes += piece.byteLength
    for (const bytes of plain ?? []) {
      this.#plainBytes += bytes.byteLength
      this.#onPlain(bytes)
    }
    if (plain === undefined || this.#plainBytes > decodedBytesMax(this.#bytes)) this.#giveUp()
  }

  #giveUp(): void {
    this.#isOver = true
    this.#waiting = []
    this.#waitingBytes = 0
  }
}
