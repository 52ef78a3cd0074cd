import { joinBytes } from '../bytes/join-bytes.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { secretsOf } from '../formats/secrets-in-headers.ts'
import { showPath } from '../openai/shown-path.ts'
import type { Outcome } from '../stream/outcome.ts'
import type { Log } from '../telemetry/log.ts'
import { BODY_BYTES_MAX, type NamedCassette } from './cassette.ts'
import { describeAnswer, type HeardChunk } from './describe-answer.ts'
import { type AskedRequest, describeRequest, queryOf, type Sha256 } from './describe-request.ts'
import { madeKeys, namedSecrets } from './named-secrets.ts'
import { rememberScrub, type Scrub } from './scrub.ts'
import type { CassetteWriter } from './write-cassettes.ts'

/** Keeps exchanges as cassettes. */
export interface Recorder {
  /** Begins to record an exchange, whose request is there as a whole. */
  readonly begin: (asked: AskedRequest) => Recording
  /** Resolves when all that has ended so far is written. */
  readonly settle: () => Promise<void>
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

/** What a recorder needs. */
export interface RecorderDeps {
  readonly writer: CassetteWriter
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** The server's own keys and tokens, which may change while it runs. */
  readonly secrets: () => readonly string[]
  readonly sha256: Sha256
  /** Milliseconds, from any beginning. */
  readonly now: () => number
  /** What time it is. */
  readonly date: () => Date
  /** Is told of each cassette when it has been written. */
  readonly onWritten?: (named: NamedCassette) => void
}

/**
 * Makes what keeps exchanges. What cannot be kept, or written, is a line in the log and nothing else: the exchange goes on.
 *
 * @example
 * const recording = createRecorder(deps).begin({ method, target, headers, body })
 * recording.onHead(answer.status, answer.headers)
 */
export function createRecorder(deps: RecorderDeps): Recorder {
  const writing = new Set<Promise<void>>()
  const scrubFor = rememberScrub()
  const write = (heard: Heard): void => {
    const written = save(heard, scrubFor, deps)
      .catch((cause: unknown) =>
        deps.log.error({ cause: describeSystemError(cause) }, 'not recorded: the cassette cannot be written'),
      )
      .finally(() => writing.delete(written))
    writing.add(written)
  }
  return {
    begin: (asked) => new OpenRecording(asked, deps, write),
    async settle() {
      await Promise.all(writing)
    },
  }
}

/** An exchange that is complete. */
interface Heard {
  readonly number: number
  readonly asked: AskedRequest
  readonly at: Date
  readonly afterMs: number
  readonly status: number
  readonly headers: Headers
  readonly chunks: readonly HeardChunk[]
}

async function save(
  heard: Heard,
  scrubFor: (secrets: readonly string[]) => Scrub,
  { writer, log, secrets, sha256, onWritten }: RecorderDeps,
): Promise<void> {
  const { number, asked, at } = heard
  const named = await namedSecrets(asked, queryOf(asked.target))
  const answered = { headers: heard.headers, body: joinBytes(heard.chunks.map(({ bytes }) => bytes)) }
  const made = madeKeys(asked.target, answered.body)
  const inAnswer = [...secretsOf(heard.headers), ...made, ...(await namedSecrets(answered))]
  const scrub = scrubFor([...secrets(), ...secretsOf(asked.headers), ...named, ...inAnswer])
  const request = await describeRequest(asked, scrub, sha256)
  const response = await describeAnswer(heard, scrub)
  if (typeof response === 'string') {
    log.warn({ path: showPath(asked.target), why: response }, 'not recorded: the answer cannot be kept')
    return
  }
  const cassette = { cassette: 1 as const, recorded_at: at.toISOString(), request, response }
  const name = await writer.write(number, cassette)
  log.info({ cassette: name }, 'recorded')
  onWritten?.({ name, cassette })
}

class OpenRecording implements Recording {
  readonly #asked: AskedRequest
  readonly #deps: RecorderDeps
  readonly #write: (heard: Heard) => void
  readonly #number: number
  readonly #at: Date
  readonly #startedAt: number
  readonly #chunks: HeardChunk[] = []
  #head: Pick<Heard, 'afterMs' | 'status' | 'headers'> | undefined
  #bytes = 0
  #hasEnded = false

  constructor(asked: AskedRequest, deps: RecorderDeps, write: (heard: Heard) => void) {
    // Headers go on to be changed for the upstream, and bytes may be a view of what is used again.
    this.#asked = { ...asked, headers: new Headers(asked.headers), body: asked.body.slice() }
    this.#deps = deps
    this.#write = write
    this.#number = deps.writer.reserve()
    this.#at = deps.date()
    this.#startedAt = deps.now()
  }

  readonly onHead = (status: number, headers: Headers): void => {
    this.#head = { status, headers: new Headers(headers), afterMs: this.#deps.now() - this.#startedAt }
  }

  readonly onChunk = (bytes: Uint8Array): void => {
    this.#bytes += bytes.byteLength
    if (this.#bytes > BODY_BYTES_MAX) this.#chunks.length = 0
    else this.#chunks.push({ bytes: bytes.slice(), atMs: this.#sinceHead() })
  }

  readonly onEnd = (outcome: Outcome): void => {
    if (this.#hasEnded || this.#head === undefined) return
    this.#hasEnded = true
    if (outcome.kind !== 'complete') this.#drop(`the answer was ${outcome.kind === 'failed' ? 'cut' : 'left'}`)
    else if (this.#bytes > BODY_BYTES_MAX) this.#drop(`the answer has more than ${BODY_BYTES_MAX} bytes`)
    else this.#write({ number: this.#number, asked: this.#asked, at: this.#at, ...this.#head, chunks: this.#chunks })
  }

  #sinceHead(): number {
    return this.#deps.now() - this.#startedAt - (this.#head?.afterMs ?? 0)
  }

  #drop(why: string): void {
    this.#deps.log.warn({ path: showPath(this.#asked.target), why }, 'not recorded: the answer is not complete')
  }
}
