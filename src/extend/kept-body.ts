import type { IncomingBody } from '../exchange.ts'
import type { ChunkReader } from './chunk-reader.ts'

/** What is kept of a body that comes as a stream, so that it can be read again. */
const KEPT_BYTES_MAX = 1024 * 1024

/**
 * The body of a request that extensions may read and the pipeline reads too: nothing of it is read before someone asks, and
 * whoever asks gets it from its start.
 *
 * What has come as a whole is kept as long as the request; of a stream the first MiB. Of a longer one the start can't be
 * read again: that fails with a `TypeError`.
 */
export class KeptBody implements IncomingBody {
  readonly #source: IncomingBody
  readonly #toldBytes: string | null
  readonly #bytesMax: number
  #whole: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> | undefined
  #reader: ChunkReader | undefined
  #kept: Uint8Array[] = []
  #keptBytes = 0
  /** How many chunks came before those that are kept. */
  #lost = 0
  #isDone = false
  #reading: Promise<Uint8Array | undefined> | undefined

  /** `toldBytes` is what `content-length` says; a body of at most `bytesMax` is read as a whole. */
  constructor(source: IncomingBody, toldBytes: string | null, bytesMax: number) {
    this.#source = source
    this.#toldBytes = toldBytes
    this.#bytesMax = bytesMax
  }

  get isComplete(): boolean {
    return this.#whole instanceof Uint8Array || (this.#reader === undefined && this.#source.isComplete)
  }

  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    this.#whole ??= this.#reader === undefined ? this.#source.whole() : this.#gather()
    if (this.#whole instanceof Promise) {
      // Where it fails, everyone who asks is told.
      this.#whole.then(
        (bytes) => this.keep(bytes),
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
  keep(bytes: Uint8Array<ArrayBuffer>): void {
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
    const kept = this.#kept[at - this.#lost]
    if (kept !== undefined) return kept.slice()
    if (this.#isDone) return undefined
    this.#reading ??= this.#read()
    return await this.#reading
  }

  #isSmall(): boolean {
    if (this.#source.isComplete) return true
    return this.#toldBytes !== null && Number(this.#toldBytes) <= this.#bytesMax
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
    this.#keptBytes += chunk.byteLength
    if (this.#keptBytes <= KEPT_BYTES_MAX) {
      this.#kept.push(chunk.slice())
      return
    }
    this.#lost += this.#kept.length + 1
    this.#kept = []
  }

  async #gather(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await new Response(this.stream()).arrayBuffer())
  }
}
