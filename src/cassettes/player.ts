import type { Sha256 } from '../formats/bytes/digest.ts'
import { secretsOf } from '../formats/secrets/secrets-in-headers.ts'
import { ApiError } from '../openai/api-error.ts'
import { type Pace, type PaceDeps, pacedStream, type TimedChunk } from '../timing/paced-stream.ts'
import type { CassetteEvent, CassetteResponse, NamedCassette } from './cassette.ts'
import { textOfJson } from './describe-answer.ts'
import { describeRequest, queryOf, type ReceivedRequest } from './describe-request.ts'
import { createMatcher } from './match.ts'
import { namedSecrets } from './named-secrets.ts'
import { type Ignored, requestKey } from './request-key.ts'
import { rememberScrub } from './scrub.ts'

/** Answers requests from cassettes. */
export interface CassettePlayer {
  /** Whether a request without a cassette is refused, so that nothing ever goes to an upstream. */
  readonly isClosed: boolean
  /** How many cassettes there are. */
  readonly count: () => number
  readonly add: (named: NamedCassette) => void
  /**
   * Finds the recorded answer to a request; undefined: there is none, and the request goes on to the upstream. Throws `no_cassette` where
   * the player is closed, and the signal's reason where the client leaves during a wait.
   */
  readonly find: (request: ReceivedRequest, signal: AbortSignal) => Promise<Response | undefined>
}

/** How cassettes are played. */
export interface PlayerOptions extends PaceDeps {
  readonly pace: Pace
  readonly ignored: Ignored
  readonly isClosed: boolean
  readonly sha256: Sha256
  /** The server's own keys and tokens. Stars replace them before anything is compared or shown. */
  readonly secrets: () => readonly string[]
}

/**
 * Makes a player of cassettes. They are given in the order in which they were recorded.
 *
 * @example
 * const player = createCassettePlayer(cassettes, options)
 * const response = await player.find({ method, target, headers, body }, signal)
 */
export function createCassettePlayer(cassettes: readonly NamedCassette[], options: PlayerOptions): CassettePlayer {
  const { ignored, isClosed, sha256, secrets } = options
  const timing = options.pace === 'original' ? options : undefined
  const matcher = createMatcher(cassettes, ignored)
  const scrubFor = rememberScrub()
  return {
    isClosed,
    count: matcher.count,
    add: matcher.add,
    async find(request, signal) {
      const byName = await namedSecrets(request, queryOf(request.target))
      const scrub = scrubFor([...secrets(), ...secretsOf(request.headers), ...byName])
      const key = requestKey(await describeRequest(request, scrub, sha256), ignored)
      const named = matcher.take(key)
      if (named === undefined) {
        if (isClosed) throw new ApiError('no_cassette', { message: matcher.explainMiss(key) })
        return undefined
      }
      const { response } = named.cassette
      if (timing !== undefined && (response.after_ms ?? 0) > 0) await timing.sleep(response.after_ms ?? 0, signal)
      return playAnswer(response, timing)
    },
  }
}

const UTF_8 = new TextEncoder()
/** Statuses that never have a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes a standard response of a recorded one. `deps` are for the original pace; undefined: at once.
 *
 * @example
 * const response = playAnswer(cassette.response, pace === 'original' ? { sleep, now } : undefined)
 */
export function playAnswer(recorded: CassetteResponse, deps: PaceDeps | undefined): Response {
  const { status, events, body } = recorded
  const headers = new Headers(recorded.headers)
  if (BODILESS.has(status)) return new Response(null, { status, headers })
  if (events !== undefined) return new Response(pacedStream(chunksOf(events), deps), { status, headers })
  const bytes = body === undefined ? new Uint8Array() : bytesOf(body)
  headers.set('content-length', String(bytes.byteLength))
  return new Response(bytes, { status, headers })
}

function bytesOf(body: NonNullable<CassetteResponse['body']>): Uint8Array<ArrayBuffer> {
  if (body.json !== undefined) return UTF_8.encode(textOfJson(body))
  return bytesOfChunk(body)
}

function bytesOfChunk({ text, base64 }: Pick<CassetteEvent, 'text' | 'base64'>): Uint8Array<ArrayBuffer> {
  return text === undefined ? Uint8Array.fromBase64(base64 ?? '') : UTF_8.encode(text)
}

/** Decoded one by one, as they are asked for. */
function* chunksOf(events: readonly CassetteEvent[]): Generator<TimedChunk> {
  for (const event of events) yield { bytes: bytesOfChunk(event), atMs: event.at_ms }
}
