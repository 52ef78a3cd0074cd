import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { showPath } from '../openai/shown-path.ts'
import type { Log } from '../telemetry/log.ts'
import { BODY_BYTES_MAX } from './cassette.ts'
import type { ReceivedChunk } from './describe-answer.ts'
import type { ReceivedRequest } from './describe-request.ts'
import type { CassetteWriter } from './write-cassettes.ts'

/** Where the memory of a recording counts, and how it learns of its exchange's end. */
export interface RecordingMemory {
  readonly memory: Pick<MemoryBudget, 'take' | 'give'>
  readonly atEnd: (release: () => void) => void
}

/** The recording of one exchange. */
export interface Recording {
  /** The head of the answer has come. */
  readonly onHead: (status: number, headers: Headers) => void
  /** A chunk of the body has come. */
  readonly onChunk: (bytes: Uint8Array) => void
  /**
   * The body has ended: a complete one is written, any other is not, and the log says so. The first call counts; an exchange
   * without a head, such as one that was refused, leaves nothing and may go without a call.
   */
  readonly onEnd: (outcome: Outcome) => void
}

/** An exchange that is complete. */
export interface CompleteExchange {
  readonly number: number
  readonly request: ReceivedRequest
  readonly at: Date
  readonly afterMs: number
  readonly status: number
  readonly headers: Headers
  readonly chunks: readonly ReceivedChunk[]
  /** Gives back the memory of all that. */
  readonly release: () => void
}

/** What hearing an exchange needs. */
export interface RecordingDeps {
  readonly writer: Pick<CassetteWriter, 'reserve'>
  readonly log: Pick<Log, 'warn'>
  readonly now: () => number
  readonly date: () => Date
}

const NOTHING = new Uint8Array()
/** What a chunk costs beside its bytes: its object, its time and its buffer. */
const CHUNK_BYTES = 160

/** One exchange while it is heard. What cannot be kept, such as where there is no memory for it, is a line in the log. */
export class OpenRecording implements Recording {
  readonly #asked: ReceivedRequest
  readonly #deps: RecordingDeps
  readonly #write: (heard: CompleteExchange) => void
  readonly #number: number
  readonly #at: Date
  readonly #startedAt: number
  readonly #chunks: ReceivedChunk[] = []
  #head: Pick<CompleteExchange, 'afterMs' | 'status' | 'headers'> | undefined
  #bytes = 0
  #hasEnded = false
  #isWriting = false
  /** What still comes behind the exchange's end is little, and not counted. */
  #isOver = false
  readonly #memory: RecordingMemory['memory'] | undefined
  /** What it has taken of that. */
  #takenBytes = 0
  #isOutOfMemory = false

  constructor(
    asked: ReceivedRequest,
    deps: RecordingDeps,
    write: (heard: CompleteExchange) => void,
    holding: RecordingMemory | undefined,
  ) {
    this.#memory = holding?.memory
    this.#take(asked.body.byteLength)
    // Headers go on to be changed for the upstream, and bytes may be a view of what is used again.
    const body = this.#isOutOfMemory ? NOTHING : asked.body.slice()
    this.#asked = { ...asked, headers: new Headers(asked.headers), body }
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
    this.#write({ number: this.#number, request: this.#asked, at: this.#at, ...head, chunks: this.#chunks, release })
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
    this.#deps.log.warn({ path: showPath(this.#asked.target), why }, 'not recorded: the answer is not complete')
  }
}
