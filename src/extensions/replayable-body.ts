import type { IncomingBody } from '../exchange/exchange.ts'
import { isJsonType } from '../formats/json/json-type.ts'
import type { BodyMemory } from './body-memory.ts'
import type { ChunkReader } from './chunk-reader.ts'

/** What is kept of a body that comes as a stream, so that it can be read again. */
const KEPT_BYTES_MAX = 1024 * 1024
const NOTHING = new Uint8Array()
/** Without a length, which is that of what is there. */
const UNTOLD = new Headers()

/**
 * The body of a request that extensions may read and the pipeline reads too: nothing of it is read before someone asks, and
 * whoever asks gets it from its start.
 *
 * What has come as a whole is kept as long as the request; of a stream the first MiB, where there is memory for it. Of a longer one the start can't be
 * read again: that fails with a `TypeError`.
 */
export class ReplayableBody implements IncomingBody {
  /** It counts what it holds. */
  readonly isCounted = true
  readonly #source: IncomingBody
  readonly #headers: Headers
  readonly #bytesMax: number
  readonly #keeping: BodyMemory
  #whole: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> | undefined
  #reader: ChunkReader | undefined
  #kept: Uint8Array[] | undefined
  #keptBytes = 0
  /** How many chunks came before those that are kept. */
  #lost = 0
  #isDone = false
  #reading: Promise<Uint8Array | undefined> | undefined

  /** JSON that the headers say is of at most `bytesMax` bytes is read as a whole; of other bodies, what could be kept. */
  constructor(source: IncomingBody, headers: Headers, bytesMax: number, keeping: BodyMemory) {
    this.#source = source
    this.#headers = headers
    this.#bytesMax = bytesMax
    this.#keeping = keeping
  }

  get isComplete(): boolean {
    return this.#whole instanceof Uint8Array || (this.#reader === undefined && this.#source.isComplete)
  }

  get length(): number | undefined {
    return this.#whole instanceof Uint8Array ? this.#whole.byteLength : this.#source.length
  }

  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    this.#whole ??= this.#reader === undefined ? this.#keeping.readWhole(this.#source, this.#headers) : this.#gather()
    if (this.#whole instanceof Promise) {
      // Where it fails, everyone who asks is told.
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

  /** All of it has been read elsewhere. */
  setWhole(bytes: Uint8Array<ArrayBuffer>): void {
    this.#whole = bytes
  }

  /** A copy, or a chunk of its own: whoever reads it may write into it. */
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
      if (value !== undefined) this.#note(value)
      return value
    } finally {
      this.#reading = undefined
    }
  }

  #note(chunk: Uint8Array): void {
    this.#kept ??= []
    this.#keptBytes += chunk.byteLength
    if (this.#keptBytes <= KEPT_BYTES_MAX && this.#keeping.mayAdd(chunk.byteLength)) {
      this.#kept.push(chunk.slice())
      return
    }
    this.#keptBytes = Number.POSITIVE_INFINITY
    this.#lost += this.#kept.length + 1
    this.#kept = []
  }

  /** What has been begun as a stream, from its start. */
  #gather(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const body = { isComplete: false, stream: () => this.stream(), whole: () => NOTHING }
    return this.#keeping.readWhole(body, UNTOLD)
  }
}
