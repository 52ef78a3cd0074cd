import type { IncomingBody } from '../exchange/arrival.ts'
import { isJsonType } from '../formats/http/media-types.ts'
import type { BodyMemory } from './body-memory.ts'
import type { ChunkReader } from './read-stream.ts'

/** How much of a streamed body is kept, so that it can be read again. */
const KEPT_BYTES_MAX = 1024 * 1024
const NOTHING = new Uint8Array()
/** No headers, so that no length is told. */
const NO_HEADERS = new Headers()

/**
 * The body of a request that both extensions and the gateway may read. It is read only on demand, and each reader gets it from its start.
 *
 * A body that has come as a whole is kept as long as the request. Of a stream, the first MiB is kept where there is memory for it; a longer
 * one can't be read again, and another reader fails with a `TypeError`.
 */
export class ReplayableBody implements IncomingBody {
  /** It counts the memory that it takes. */
  readonly isCounted = true
  readonly #source: IncomingBody
  readonly #headers: Headers
  readonly #bytesMax: number
  readonly #memory: BodyMemory
  #whole: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> | undefined
  #reader: ChunkReader | undefined
  #kept: Uint8Array[] | undefined
  #keptBytes = 0
  /** How many chunks came before the kept ones. */
  #lost = 0
  #isDone = false
  #reading: Promise<Uint8Array | undefined> | undefined

  /** `bytesMax`: JSON whose declared length is at most that is read as a whole. Other bodies are, up to what may be kept. */
  constructor(source: IncomingBody, headers: Headers, bytesMax: number, memory: BodyMemory) {
    this.#source = source
    this.#headers = headers
    this.#bytesMax = bytesMax
    this.#memory = memory
  }

  get isComplete(): boolean {
    return this.#whole instanceof Uint8Array || (this.#reader === undefined && this.#source.isComplete)
  }

  get length(): number | undefined {
    return this.#whole instanceof Uint8Array ? this.#whole.byteLength : this.#source.length
  }

  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    this.#whole ??= this.#reader === undefined ? this.#memory.readWhole(this.#source, this.#headers) : this.#gather()
    if (this.#whole instanceof Promise) {
      // The failure is told to everyone who asks for the body.
      this.#whole.then(
        (bytes) => this.setWhole(bytes),
        () => undefined,
      )
    }
    return this.#whole
  }

  stream(): ReadableStream<Uint8Array> {
    let at = 0
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.#chunk(at)
          at += 1
          if (chunk === undefined) controller.close()
          else controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Takes the whole body, which has been read elsewhere. */
  setWhole(bytes: Uint8Array<ArrayBuffer>): void {
    this.#whole = bytes
  }

  /** The chunk at an index. It is a copy, or has no other owner, because its reader may write into it. */
  async #chunk(at: number): Promise<Uint8Array | undefined> {
    if (
      this.#whole instanceof Uint8Array ||
      (this.#reader === undefined && (this.#whole !== undefined || this.#isSmall()))
    ) {
      const whole = await this.whole()
      return at === 0 && whole.byteLength > 0 ? whole.slice() : undefined
    }
    if (at < this.#lost) throw new TypeError('the body has gone by, and is too long to be kept')
    const kept = this.#kept?.[at - this.#lost]
    if (kept !== undefined) return kept.slice()
    if (this.#isDone) return undefined
    const isFirst = this.#reading === undefined
    this.#reading ??= this.#read()
    const chunk = await this.#reading
    return isFirst ? chunk : chunk?.slice()
  }

  #isSmall(): boolean {
    if (this.#source.isComplete) return true
    const told = this.#headers.get('content-length')
    const isJson = isJsonType(this.#headers.get('content-type'))
    return told !== null && Number(told) <= (isJson ? this.#bytesMax : KEPT_BYTES_MAX)
  }

  async #read(): Promise<Uint8Array | undefined> {
    this.#reader ??= this.#source.stream().getReader()
    try {
      const { done, value } = await this.#reader.read()
      this.#isDone = done
      if (value !== undefined) this.#keep(value)
      return value
    } finally {
      this.#reading = undefined
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#kept ??= []
    this.#keptBytes += chunk.byteLength
    if (this.#keptBytes <= KEPT_BYTES_MAX && this.#memory.mayAdd(chunk.byteLength)) {
      this.#kept.push(chunk.slice())
      return
    }
    this.#keptBytes = Number.POSITIVE_INFINITY
    this.#lost += this.#kept.length + 1
    this.#kept = []
  }

  /** Reads the whole of a body that has been begun as a stream. */
  #gather(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const body = { isComplete: false, stream: () => this.stream(), whole: () => NOTHING }
    return this.#memory.readWhole(body, NO_HEADERS)
  }
}
