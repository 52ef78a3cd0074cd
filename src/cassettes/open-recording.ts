import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { showPath } from '../openai/shown-path.ts'
import type { Log } from '../telemetry/log.ts'
import { BODY_BYTES_MAX } from './cassette.ts'
import type { CassetteWriter } from './cassette-folder.ts'
import type { ReceivedChunk } from './describe-answer.ts'
import type { ReceivedRequest } from './describe-request.ts'

/** The memory that a recording counts in, and the end of its exchange. */
export interface RecordingMemory {
  readonly memory: Pick<MemoryBudget, 'take' | 'give'>
  readonly atEnd: (release: () => void) => void
}

/** The recording of one exchange. */
export interface Recording {
  /** Called with the head of the answer. */
  readonly onHead: (status: number, headers: Headers) => void
  /** Called with each chunk of the body. */
  readonly onChunk: (bytes: Uint8Array) => void
  /**
   * Called at the body's end. A complete body is written; of another one the log has a line. The first call counts. An exchange without a
   * head, such as a refused one, is not recorded, and needs no call.
   */
  readonly onEnd: (outcome: Outcome) => void
}

/** An exchange that has ended, with all that its cassette is made of. */
export interface CompleteExchange {
  readonly number: number
  readonly request: ReceivedRequest
  readonly at: Date
  readonly afterMs: number
  readonly status: number
  readonly headers: Headers
  readonly chunks: readonly ReceivedChunk[]
  /** Gives the memory back. */
  readonly release: () => void
}

/** The dependencies of a recording. */
export interface RecordingDeps {
  readonly writer: Pick<CassetteWriter, 'reserve'>
  readonly log: Pick<Log, 'warn'>
  readonly now: () => number
  readonly date: () => Date
}

const NOTHING = new Uint8Array()
/** The memory of a chunk beside its bytes: its object, its time and its buffer. */
const CHUNK_BYTES = 160

/** Records one exchange while it passes. Where it can't be kept, such as for want of memory, the log has a line. */
export class OpenRecording implements Recording {
  readonly #request: ReceivedRequest
  readonly #deps: RecordingDeps
  readonly #write: (exchange: CompleteExchange) => void
  readonly #number: number
  readonly #at: Date
  readonly #startedAt: number
  readonly #chunks: ReceivedChunk[] = []
  #head: Pick<CompleteExchange, 'afterMs' | 'status' | 'headers'> | undefined
  #bytes = 0
  #hasEnded = false
  #isWriting = false
  /** Whether the exchange has ended. The little that comes behind its end is not counted. */
  #isOver = false
  readonly #memory: RecordingMemory['memory'] | undefined
  /** The bytes that it has taken of that memory. */
  #takenBytes = 0
  #isOutOfMemory = false

  constructor(
    request: ReceivedRequest,
    deps: RecordingDeps,
    write: (exchange: CompleteExchange) => void,
    holding: RecordingMemory | undefined,
  ) {
    this.#memory = holding?.memory
    this.#take(request.body.byteLength)
    // Copies: the headers will be changed for the upstream, and the bytes may be a view of a buffer that is used again.
    const body = this.#isOutOfMemory ? NOTHING : request.body.slice()
    this.#request = { ...request, headers: new Headers(request.headers), body }
    this.#deps = deps
    this.#write = write
    this.#number = deps.writer.reserve()
    this.#at = deps.date()
    this.#startedAt = deps.now()
    holding?.atEnd(() => {
      this.#isOver = true
      if (!this.#isWriting) this.#give()
    })
  }

  readonly onHead = (status: number, headers: Headers): void => {
    this.#head = { status, headers: new Headers(headers), afterMs: this.#deps.now() - this.#startedAt }
  }

  readonly onChunk = (bytes: Uint8Array): void => {
    this.#bytes += bytes.byteLength
    if (this.#bytes <= BODY_BYTES_MAX) this.#take(bytes.byteLength + CHUNK_BYTES)
    if (this.#bytes > BODY_BYTES_MAX || this.#isOutOfMemory) this.#release()
    else this.#chunks.push({ bytes: bytes.slice(), atMs: this.#sinceHead() })
  }

  readonly onEnd = (outcome: Outcome): void => {
    if (this.#hasEnded || this.#head === undefined) return
    this.#hasEnded = true
    if (outcome.kind !== 'complete') this.#drop(`the answer was ${outcome.kind === 'failed' ? 'cut' : 'left'}`)
    else if (this.#bytes > BODY_BYTES_MAX) this.#drop(`the answer has more than ${BODY_BYTES_MAX} bytes`)
    else if (this.#isOutOfMemory) this.#drop('there is no memory left for it (MAX_MEMORY_BYTES)')
    else this.#keep(this.#head)
  }

  #sinceHead(): number {
    return this.#deps.now() - this.#startedAt - (this.#head?.afterMs ?? 0)
  }

  #keep(head: Pick<CompleteExchange, 'afterMs' | 'status' | 'headers'>): void {
    this.#isWriting = true
    const release = (): void => this.#give()
    this.#write({ number: this.#number, request: this.#request, at: this.#at, ...head, chunks: this.#chunks, release })
  }

  #take(bytes: number): void {
    if (this.#memory === undefined || this.#isOutOfMemory || this.#isOver) return
    if (this.#memory.take(bytes)) this.#takenBytes += bytes
    else this.#isOutOfMemory = true
  }

  #give(): void {
    this.#memory?.give(this.#takenBytes)
    this.#takenBytes = 0
  }

  #release(): void {
    this.#chunks.length = 0
    this.#give()
  }

  #drop(why: string): void {
    this.#release()
    this.#deps.log.warn({ path: showPath(this.#request.target), why }, 'not recorded: the answer is not complete')
  }
}
