import { readAnyBytes } from '../formats/bytes/byte-string.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { PlannedCall } from './planned-call.ts'
import { sharesOf, type TextShares, type TextSpan, UNSEEN_TEXT } from './text-shares.ts'

/** What the body of a call is about to have read: its text, and parts that are no text. */
export interface InputSketch {
  readonly textBytes: number
  readonly shares: TextShares
  readonly images: number
  readonly audioBytes: number
  /** Of documents, such as PDF. */
  readonly fileBytes: number
}

/** A longer body is not looked into: all of it counts as text. */
const SEARCHED_BYTES_MAX = 16 * 1024 * 1024
/** A body without any of these words has nothing but text. */
const MARKS = /"(?:image|input_(?:image|audio))|base64|file_data/
/**
 * The member that an attachment stands in, in any of the APIs, at the beginning of what looks like one. A long word without spaces anywhere
 * else is text, and costs what it costs as text.
 */
const ATTACHMENT = /"(url|image_url|file_data|data|result|b64_json)"\s*:\s*"(?=data:|[\w+/\\-]{200})/g
const ATTACHED: ReadonlySet<string> = new Set(['url', 'image_url', 'file_data', 'data', 'result', 'b64_json', 'type'])
const IMAGE_MEMBERS = /"image_url"\s*:/g
const IMAGE_TYPES = /"type"\s*:\s*"(?:input_)?image"/g
const BASE64 = /^[\w+/\\=-]*$/
/** The bytes before an attachment that tell its kind. */
const BEFORE = 160
/** So many pieces of a text are looked at to tell base64 from words. */
const SAMPLES = 16
const SAMPLE_CHARS = 32

const NO_SPANS: readonly TextSpan[] = []

/**
 * Looks for images, sounds and documents in the JSON of a call, which would be absurdly many tokens as text. `body` undefined: it is not
 * there, and all of its bytes count as text.
 *
 * @example
 * sketchInput({ body: bytes, bodyBytes: bytes.length, members }).images
 */
export function sketchInput({
  body,
  bodyBytes,
  members,
}: Pick<PlannedCall, 'body' | 'bodyBytes' | 'members'>): InputSketch {
  const plain = { textBytes: bodyBytes, images: 0, audioBytes: 0, fileBytes: 0 }
  if (body === undefined) return { ...plain, shares: UNSEEN_TEXT }
  if (isTextOnly(members)) return { ...plain, shares: sharesOf(body, NO_SPANS) }
  const text = body.length > SEARCHED_BYTES_MAX ? '' : readAnyBytes(body)
  if (!MARKS.test(text)) return { ...plain, shares: sharesOf(body, NO_SPANS) }
  const spans: TextSpan[] = []
  let [attached, ofImages, audioBytes, fileBytes] = [0, 0, 0, 0]
  for (const { 0: found, 1: member, index } of text.matchAll(ATTACHMENT)) {
    const start = index + found.length
    const end = text.indexOf('"', start)
    if (end === -1 || !isBase64(text, start, end)) continue
    const bytes = end - start
    attached += bytes
    spans.push({ start, end })
    const kind = kindOf(text.slice(start, start + 32), text.slice(Math.max(0, index - BEFORE), index), member ?? '')
    if (kind === 'audio') audioBytes += bytes
    else if (kind === 'file') fileBytes += bytes
    else ofImages += 1
  }
  const images = Math.max(ofImages, countOf(text, IMAGE_MEMBERS), countOf(text, IMAGE_TYPES))
  return { textBytes: bodyBytes - attached, shares: sharesOf(body, spans), images, audioBytes, fileBytes }
}

/** Whether a call has messages of texts alone, beside members that hold no attachment: nothing has to be searched then. */
function isTextOnly(members: PlannedCall['members']): boolean {
  const { messages } = members
  if (!Array.isArray(messages)) return false
  for (const name in members) {
    const value = members[name]
    if (name !== 'messages' && (ATTACHED.has(name) || !isPlainValue(value))) return false
  }
  return (messages as readonly unknown[]).every((message) => {
    if (!isJsonObject(message)) return false
    for (const name in message) if (ATTACHED.has(name) || !isPlainValue(message[name])) return false
    return true
  })
}

/** Whether a value that has been read is no object and no list. */
function isPlainValue(value: unknown): boolean {
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' || value === null
}

/** What an attachment is, by its own beginning, or by what stands before it. */
function kindOf(beginning: string, before: string, member: string): 'image' | 'audio' | 'file' {
  const type = /^data:(\w+)/.exec(beginning)?.[1] ?? /"media_type"\s*:\s*"(\w+)/.exec(before)?.[1]
  if (type !== undefined) return type === 'image' || type === 'audio' ? type : 'file'
  if (before.includes('"input_audio"')) return 'audio'
  return member === 'file_data' ? 'file' : member === 'data' ? 'audio' : 'image'
}

function isBase64(text: string, start: number, end: number): boolean {
  const from = text.startsWith('data:', start) ? text.indexOf(',', start) + 1 : start
  if (from <= 0 || from >= end) return false
  const step = Math.max(SAMPLE_CHARS, Math.floor((end - from) / SAMPLES))
  for (let at = from; at < end; at += step) {
    if (!BASE64.test(text.slice(at, Math.min(at + SAMPLE_CHARS, end)))) return false
  }
  return true
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
