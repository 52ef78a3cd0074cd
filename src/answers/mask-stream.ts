import { codingsOf, formatOf, sniffFormat } from '../formats/bytes/decode-body.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { Slice } from '../timing/slices.ts'
import type { BodyMask } from './body-mask.ts'
import { DecodedWatch, type DecodedWatchOptions } from './decoded-watch.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The runtime's own addition to the standard reader: it gives all chunks that have come, mostly without a promise. */
interface ManyReader extends ReadableStreamDefaultReader<Bytes> {
  readMany(): Many | Promise<Many>
}

type Many = Bun.ReadableStreamDefaultReadManyResult<Bytes>

/** A body that is no text may begin like an encoded one. */
const MAY_BE_TEXT = /^(?:$|text\/|application\/(?:[^;]*\+)?(?:json|x-ndjson|jsonl|xml))/i

/**
 * Puts stars over the secrets in a body as it comes. Each chunk goes on as soon as it has come, unchanged if it has no secret;
 * bytes that may be the beginning of one wait for the next chunk. A body that breaks off does so behind all bytes that came.
 *
 * @example
 * const shown = maskStream(answer.body, answer.headers, { makeMask: () => new FullMask(mask), isStrict: true })
 */
export function maskStream(
  source: ReadableStream<Uint8Array>,
  headers: Headers,
  options: DecodedWatchOptions,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new MaskedSource(source, headers, options), { highWaterMark: 0 })
}

/** The bytes that are searched at once; then other requests get their turn. */
const PIECE_BYTES = 64 * 1024

function isLong({ byteLength }: Bytes): boolean {
  return byteLength > PIECE_BYTES
}

function piecesOf(chunk: Bytes): Bytes[] {
  const count = Math.ceil(chunk.byteLength / PIECE_BYTES)
  return Array.from({ length: count }, (_, at) => chunk.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES))
}

/** Masks a body's chunks when they are asked for. */
class MaskedSource {
  readonly #source: ReadableStream<Uint8Array>
  /** undefined until the first chunk is asked for: before that the body may still be read in another way. */
  #reader: ManyReader | undefined
  readonly #headers: Headers
  readonly #options: DecodedWatchOptions
  #mask: BodyMask | DecodedWatch | undefined
  #failure: { readonly cause: unknown } | undefined
  /** undefined until the body has a long chunk. */
  #slice: Slice | undefined

  constructor(source: ReadableStream<Uint8Array>, headers: Headers, options: DecodedWatchOptions) {
    this.#source = source
    this.#headers = headers
    this.#options = options
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.cause
    for (let isAnyGiven = false; !isAnyGiven; ) {
      const chunks = await this.#read()
      if (chunks === undefined) return this.#end(controller)
      for (const chunk of chunks) {
        if (chunk.byteLength === 0) continue
        if (chunk.byteLength === PIECE_BYTES) await this.#rest()
        this.#mask ??= this.#maskFor(chunk)
        const adding = this.#mask.add(chunk)
        const masked = adding instanceof Uint8Array ? adding : await this.#checked(adding)
        if (masked.byteLength === 0) continue
        controller.enqueue(masked)
        isAnyGiven = true
      }
    }
  }

  cancel(reason: unknown): Promise<void> {
    if (this.#mask instanceof DecodedWatch) this.#mask.close()
    return this.#reader === undefined ? this.#source.cancel(reason) : this.#reader.cancel(reason)
  }

  async #rest(): Promise<void> {
    this.#slice ??= new Slice()
    if (this.#slice.isOver()) await this.#slice.rest()
  }

  /** Gives all chunks that have come; undefined: the source has ended or failed. */
  async #read(): Promise<readonly Bytes[] | undefined> {
    try {
      this.#reader ??= this.#source.getReader() as ManyReader
      const reading = this.#reader.readMany()
      const { done, value } = reading instanceof Promise ? await reading : reading
      if (done) return undefined
      return value.some(isLong) ? value.flatMap(piecesOf) : value
    } catch (cause) {
      this.#failure = { cause }
      return undefined
    }
  }

  /** Hands on the bytes that waited, and then ends or breaks as the source did. */
  #end(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const rest = this.#mask?.end()
    if (rest !== undefined && rest.byteLength > 0) controller.enqueue(rest)
    if (this.#failure === undefined) controller.close()
    else if (rest === undefined || rest.byteLength === 0) throw this.#failure.cause
  }

  /** Ends the call if a chunk must not go on. */
  async #checked(adding: Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await adding
    } catch (cause) {
      void ignoreRejection(this.#reader?.cancel(cause))
      throw cause
    }
  }

  #maskFor(chunk: Uint8Array): BodyMask | DecodedWatch {
    const [coding, ...others] = codingsOf(this.#headers.get('content-encoding'))
    const named = others.length > 0 ? undefined : formatOf(coding ?? null)
    const mayBeUnnamed = coding === undefined && MAY_BE_TEXT.test(this.#headers.get('content-type') ?? '')
    const format = named ?? (mayBeUnnamed ? sniffFormat(chunk) : undefined)
    return format === undefined ? this.#options.makeMask() : new DecodedWatch(format, this.#options)
  }
}
