import { decodeUtf8 } from '../formats/bytes/byte-string.ts'
import { decodeBody, isEncoded } from '../formats/bytes/decode-body.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { isEventStream } from '../formats/http/media-types.ts'
import { type ExactJson, isExactObject, parseExact } from '../formats/json/exact.ts'
import { eventEndsOf } from '../formats/sse/event-ends.ts'
import { parseEvent } from '../formats/sse/parse-event.ts'
import { BODY_BYTES_MAX, type CassetteAnswerBody, type CassetteEvent, type CassetteResponse } from './cassette.ts'
import { keptAnswerHeaders } from './kept-headers.ts'
import type { Scrub } from './scrub.ts'

/** An answer as it came. */
interface ReceivedAnswer {
  readonly status: number
  readonly headers: Headers
  /** Milliseconds from the request to the head. */
  readonly afterMs: number
  readonly chunks: readonly ReceivedChunk[]
}

/** One chunk of an answer's body. */
export interface ReceivedChunk {
  readonly bytes: Uint8Array
  /** Milliseconds after the head. */
  readonly atMs: number
}

/**
 * Describes an answer as a cassette keeps it, without secrets; a string says why it can't be kept.
 *
 * @example
 * const response = await describeAnswer(answer, createScrub(secrets))
 */
export async function describeAnswer(answer: ReceivedAnswer, scrub: Scrub): Promise<CassetteResponse | string> {
  const { status, headers, afterMs } = answer
  const chunks = await decodedChunks(answer)
  if (chunks === undefined) return 'its Content-Encoding cannot be read'
  const whole = joinBytes(chunks.map(({ bytes }) => bytes))
  const clean = scrub.sameLength(whole)
  const head = { status, after_ms: Math.round(afterMs), headers: keptAnswerHeaders(headers, scrub) }
  if (isEventStream(headers.get('content-type'))) {
    if (hasSecretInPieces(whole, scrub)) return 'a secret is in it, piece by piece'
    return { ...head, events: cutAgain(clean, chunks).map(eventOf) }
  }
  return clean.byteLength === 0 ? head : { ...head, body: bodyOf(clean) }
}

async function decodedChunks({ headers, chunks }: ReceivedAnswer): Promise<readonly ReceivedChunk[] | undefined> {
  const coding = headers.get('content-encoding')
  if (!isEncoded(coding) || chunks.length === 0) return chunks
  const plain = await decodeBody(joinBytes(chunks.map(({ bytes }) => bytes)), coding, BODY_BYTES_MAX)
  return plain instanceof Uint8Array ? [{ bytes: plain, atMs: chunks.at(-1)?.atMs ?? 0 }] : undefined
}

/**
 * Cuts a body into the chunks that it came in. Stars are put over the whole body first, because a secret may reach from one chunk
 * into the next.
 */
function cutAgain(whole: Uint8Array, chunks: readonly ReceivedChunk[]): ReceivedChunk[] {
  let at = 0
  return chunks.map(({ bytes, atMs }) => {
    const start = at
    at += bytes.byteLength
    return { bytes: whole.subarray(start, at), atMs }
  })
}

function eventOf({ bytes, atMs }: ReceivedChunk): CassetteEvent {
  const text = decodeUtf8(bytes)
  const at = { at_ms: Math.round(atMs) }
  return text === undefined ? { ...at, base64: bytes.toBase64() } : { ...at, text }
}

/** The longest text that is kept as JSON: nobody reads a longer one in a cassette, and parsing it would hold up all other requests. */
const JSON_BYTES_MAX = 1024 * 1024

/** The body as JSON where exactly its bytes can be written from that; else as a text, or base64. */
function bodyOf(whole: Uint8Array): CassetteAnswerBody {
  const text = decodeUtf8(whole)
  if (text === undefined) return { base64: whole.toBase64() }
  const json = whole.byteLength > JSON_BYTES_MAX ? undefined : parseExact(text)
  if (json === undefined) return { text }
  const indent = /^[[{]\r?\n( {1,8})\S/.exec(text)?.[1]?.length
  const body = { json, ...(indent !== undefined && { indent }), ...(text.endsWith('\n') && { newline: true }) }
  return textOfJson(body) === text ? body : { text }
}

/** The text of an answer that is kept as JSON, byte for byte as it came. */
export function textOfJson({ json, indent, newline }: CassetteAnswerBody): string {
  return JSON.stringify(json, undefined, indent) + (newline === true ? '\n' : '')
}

const UTF_8 = new TextEncoder()

/**
 * Whether the events of a stream together spell a secret that no single event holds. A model that repeats a key sends it token by token.
 *
 * @example
 * hasSecretInPieces(utf8('data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'), createScrub(['the-key-of-me']))
 */
export function hasSecretInPieces(stream: Uint8Array, scrub: Scrub): boolean {
  const texts = new Map<string, string[]>()
  let from = 0
  for (const end of eventEndsOf(stream)) {
    const { data = '' } = parseEvent(stream.subarray(from, end), from === 0)
    from = end
    for (const value of valuesOf(data)) gather(value, '', texts)
  }
  return texts.values().some((pieces) => reachesAcross(pieces, scrub))
}

/** The JSON of an event; also of each of its lines, since some servers leave out the blank lines between events. */
function valuesOf(data: string): readonly ExactJson[] {
  const whole = parseExact(data)
  return whole === undefined ? data.split('\n').flatMap((line) => parseExact(line) ?? []) : [whole]
}

/** Adds the strings of a value to those that earlier events had in the same places. */
function gather(value: ExactJson, path: string, texts: Map<string, string[]>): void {
  if (typeof value === 'string') {
    const pieces = texts.get(path)
    if (pieces === undefined) texts.set(path, [value])
    else pieces.push(value)
  } else if (Array.isArray(value)) for (const [index, item] of value.entries()) gather(item, `${path}/${index}`, texts)
  else if (isExactObject(value)) {
    for (const [name, item] of Object.entries(value)) gather(item, `${path}/${name}`, texts)
  }
}

/** Whether stars over all pieces as one text cover something that stars over each of them do not. */
function reachesAcross(texts: readonly string[], scrub: Scrub): boolean {
  const pieces = texts.map((text) => UTF_8.encode(text))
  const whole = joinBytes(pieces)
  const masked = scrub.known(whole)
  if (masked === whole) return false
  const apart = joinBytes(pieces.map(scrub.known))
  return masked.some((byte, index) => byte !== whole[index] && apart[index] === whole[index])
}
