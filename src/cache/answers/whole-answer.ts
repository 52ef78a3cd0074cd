import { canDecode, decodeBody, isEncoded } from '../../formats/bytes/decode-body.ts'
import { joinInSteps } from '../../formats/bytes/join-bytes.ts'
import { isEventStream, isJsonType } from '../../formats/http/media-types.ts'
import { StreamTail } from '../../formats/sse/stream-tail.ts'
import { meaningAtEnd } from '../../openai/answer-events.ts'
import { inSlices, Slice } from '../../timing/slices.ts'
import { type Completeness, judgeJson } from './whole-json.ts'
import { judgeStream } from './whole-stream.ts'

/** An answer that decodes to more bytes is not judged. */
const DECODED_BYTES_MAX = 64 * 1024 * 1024
/** Endpoints that answer in JSON or events only, whatever type a server gives. */
const OF_JSON_OR_EVENTS: ReadonlySet<string> = new Set([
  ...['chat/completions', 'completions', 'responses', 'messages', 'embeddings', 'moderations'],
])
/** The first bytes of a body that tell JSON from events. */
const BEGINNING_BYTES = 1024

/** A body, as it came. */
type Chunks = readonly { readonly bytes: Uint8Array }[]

const UTF_8 = new TextDecoder()

/**
 * Whether an ended body is an answer to store: it reports no failure, at its beginning or later, and was not cut. A body that can't be
 * decoded is not stored.
 *
 * @example
 * const isKept = await isWholeAnswer('chat/completions', answer.headers, chunks)
 */
export function isWholeAnswer(endpoint: string, headers: Headers, chunks: Chunks): boolean | Promise<boolean> {
  const verdict = verdictOn(endpoint, headers, chunks)
  return typeof verdict === 'string' ? verdict === 'whole' : verdict.then((later) => later === 'whole')
}

/**
 * Judges an ended body.
 *
 * A stream is whole with its protocol's last event; that of a completion also where each choice has ended, since some servers
 * send no `[DONE]`. The verdict comes later only where the body is encoded or long.
 *
 * @example
 * const verdict = await verdictOn('responses', answer.headers, chunks)
 */
export function verdictOn(endpoint: string, headers: Headers, chunks: Chunks): Completeness | Promise<Completeness> {
  const type = headers.get('content-type')?.toLowerCase() ?? ''
  const coding = headers.get('content-encoding')
  const isJudged = isText(type) || OF_JSON_OR_EVENTS.has(endpoint)
  if (!isEncoded(coding)) return isJudged ? inSlices(judgeChunks(endpoint, type, chunks)) : 'whole'
  return judgeEncoded(chunks, coding, (plain) => (isJudged ? inSlices(judgeText(endpoint, type, plain)) : 'whole'))
}

/**
 * Whether the chunks hold all of an answer whose body has not ended: an event stream that has come to its last event. For an encoded body
 * that can't be told.
 *
 * @example
 * const isLeft = !isInFull(endpointOf(target), answer.headers, chunks)
 */
export function isInFull(endpoint: string, headers: Headers, chunks: Chunks): boolean {
  if (!isEventStream(headers.get('content-type'))) return false
  if (isEncoded(headers.get('content-encoding'))) return false
  const tail = new StreamTail()
  for (const { bytes } of chunks) tail.add(bytes)
  const last = tail.events().at(-1)
  return last !== undefined && meaningAtEnd(endpoint, last) !== 'neither'
}

function isText(type: string): boolean {
  return isEventStream(type) || isJsonType(type)
}

async function judgeEncoded(
  chunks: Chunks,
  coding: string | null,
  judge: (plain: Uint8Array) => Completeness | Promise<Completeness>,
): Promise<Completeness> {
  const came = await inSlices(joinInSteps(chunks.map(({ bytes }) => bytes)))
  const slice = new Slice()
  const plain = await decodeBody(came, coding, DECODED_BYTES_MAX, () => (slice.isOver() ? slice.rest() : undefined))
  if (plain instanceof Uint8Array) return judge(plain)
  return plain === undefined && canDecode(coding) ? 'cut' : 'unreadable'
}

function* judgeChunks(endpoint: string, type: string, chunks: Chunks): Generator<void, Completeness, void> {
  const plain = yield* joinInSteps(chunks.map(({ bytes }) => bytes))
  return yield* judgeText(endpoint, type, plain)
}

function* judgeText(endpoint: string, type: string, plain: Uint8Array): Generator<void, Completeness, void> {
  if (isEventStream(type)) return yield* judgeStream(endpoint, plain)
  const beginning = UTF_8.decode(plain.subarray(0, BEGINNING_BYTES)).trimStart()
  if (isJsonType(type) || beginning.startsWith('{') || beginning.startsWith('[')) {
    return yield* judgeJson(endpoint, plain)
  }
  return /^(?:data|event|id|retry)?:/.test(beginning) ? yield* judgeStream(endpoint, plain) : 'whole'
}
