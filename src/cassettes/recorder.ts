import { describeSystemError } from '../config/system-errors.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { secretsOf } from '../formats/secrets/secrets-in-headers.ts'
import { showPath } from '../openai/shown-path.ts'
import type { Log } from '../telemetry/log.ts'
import type { NamedCassette } from './cassette.ts'
import { describeAnswer } from './describe-answer.ts'
import { describeRequest, queryOf, type ReceivedRequest } from './describe-request.ts'
import { madeKeys, namedSecrets } from './named-secrets.ts'
import { type CompleteExchange, OpenRecording, type Recording, type RecordingMemory } from './open-recording.ts'
import { rememberScrub, type Scrub } from './scrub.ts'
import type { CassetteWriter } from './write-cassettes.ts'

/** Keeps exchanges as cassettes. */
export interface CassetteRecorder {
  /** Begins to record an exchange, whose request is there as a whole. */
  readonly begin: (asked: ReceivedRequest, holding?: RecordingMemory) => Recording
  /** Resolves when all that has ended so far is written. */
  readonly settle: () => Promise<void>
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
 * const recording = createCassetteRecorder(deps).begin({ method, target, headers, body })
 * recording.onHead(answer.status, answer.headers)
 */
export function createCassetteRecorder(deps: RecorderDeps): CassetteRecorder {
  const writing = new Set<Promise<void>>()
  const scrubFor = rememberScrub()
  const write = (heard: CompleteExchange): void => {
    const written = save(heard, scrubFor, deps)
      .catch((cause: unknown) =>
        deps.log.error({ cause: describeSystemError(cause) }, 'not recorded: the cassette cannot be written'),
      )
      .finally(() => {
        heard.release()
        writing.delete(written)
      })
    writing.add(written)
  }
  return {
    begin: (asked, holding) => new OpenRecording(asked, deps, write, holding),
    async settle() {
      await Promise.all(writing)
    },
  }
}

async function save(
  heard: CompleteExchange,
  scrubFor: (secrets: readonly string[]) => Scrub,
  { writer, log, secrets, sha256, onWritten }: RecorderDeps,
): Promise<void> {
  const { number, request: asked, at } = heard
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
