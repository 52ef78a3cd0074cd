import { describeSystemError } from '../config/system-errors.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { secretsOf } from '../formats/secrets/secrets-in-headers.ts'
import { showPath } from '../openai/shown-path.ts'
import type { Log } from '../telemetry/log.ts'
import type { NamedCassette } from './cassette.ts'
import type { CassetteWriter } from './cassette-folder.ts'
import { describeAnswer } from './describe-answer.ts'
import { describeRequest, queryOf, type ReceivedRequest } from './describe-request.ts'
import { madeKeys, namedSecrets } from './named-secrets.ts'
import { type CompleteExchange, OpenRecording, type Recording, type RecordingMemory } from './open-recording.ts'
import { rememberScrub, type Scrub } from './scrub.ts'

/** Records exchanges as cassettes. */
export interface CassetteRecorder {
  /** Begins to record an exchange. Without `memory`, the bytes are not counted. */
  readonly begin: (request: ReceivedRequest, memory?: RecordingMemory) => Recording
  /** Resolves when everything that has ended so far is written. */
  readonly settle: () => Promise<void>
}

/** The dependencies of a recorder. */
export interface RecorderDeps {
  readonly writer: CassetteWriter
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** The server's own keys and tokens, which may change while it runs. */
  readonly secrets: () => readonly string[]
  readonly sha256: Sha256
  /** Milliseconds, from any beginning. */
  readonly now: () => number
  /** The date and time, for the cassette. */
  readonly date: () => Date
  /** Called with each cassette once it is written. */
  readonly onWritten?: (named: NamedCassette) => void
}

/**
 * Makes a recorder. An exchange that can't be recorded or written is a line in the log, and goes on undisturbed.
 *
 * @example
 * const recording = createCassetteRecorder(deps).begin({ method, target, headers, body })
 * recording.onHead(answer.status, answer.headers)
 */
export function createCassetteRecorder(deps: RecorderDeps): CassetteRecorder {
  const writing = new Set<Promise<void>>()
  const scrubFor = rememberScrub()
  const write = (exchange: CompleteExchange): void => {
    const written = save(exchange, scrubFor, deps)
      .catch((cause: unknown) =>
        deps.log.error({ cause: describeSystemError(cause) }, 'not recorded: the cassette cannot be written'),
      )
      .finally(() => {
        exchange.release()
        writing.delete(written)
      })
    writing.add(written)
  }
  return {
    begin: (request, memory) => new OpenRecording(request, deps, write, memory),
    async settle() {
      await Promise.all(writing)
    },
  }
}

async function save(
  exchange: CompleteExchange,
  scrubFor: (secrets: readonly string[]) => Scrub,
  { writer, log, secrets, sha256, onWritten }: RecorderDeps,
): Promise<void> {
  const { number, request: received, at } = exchange
  const named = await namedSecrets(received, queryOf(received.target))
  const answered = { headers: exchange.headers, body: joinBytes(exchange.chunks.map(({ bytes }) => bytes)) }
  const made = madeKeys(received.target, answered.body)
  const inAnswer = [...secretsOf(exchange.headers), ...made, ...(await namedSecrets(answered))]
  const scrub = scrubFor([...secrets(), ...secretsOf(received.headers), ...named, ...inAnswer])
  const request = await describeRequest(received, scrub, sha256)
  const response = await describeAnswer(exchange, scrub)
  if (typeof response === 'string') {
    log.warn({ path: showPath(received.target), why: response }, 'not recorded: the answer cannot be kept')
    return
  }
  const cassette = { cassette: 1 as const, recorded_at: at.toISOString(), request, response }
  const name = await writer.write(number, cassette)
  log.info({ cassette: name }, 'recorded')
  onWritten?.({ name, cassette })
}
