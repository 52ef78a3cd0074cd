import { decodeUtf8 } from '../formats/bytes/byte-string.ts'
import type { Edit } from '../formats/json/edit.ts'
import { boundaryOf } from '../formats/multipart/form-boundary.ts'
import { readPartHead } from '../formats/multipart/form-part.ts'
import { ApiError } from '../openai/api-error.ts'

const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** A form of more lines is not read: a search through them would keep other requests waiting. */
const LINES_MAX = 2_000_000
/** A form of more parts, or with a longer head of a part, is not read. */
const PARTS_MAX = 1000
const HEAD_BYTES_MAX = 16 * 1024
const NEAR_BYTES = 16

/** A multipart form whose parts can be read in one way only. */
export interface Form {
  /** The text fields by name, in order, with the texts of each in order. Parts with a filename are left out. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** The places of the contents of parts with a filename. */
  readonly files: readonly Span[]
  /**
   * Makes the edits that put another text into each field of that name, and change no other byte. Throws `rules_not_applicable` for a
   * text that would end its part.
   */
  readonly replace: (name: string, text: string) => readonly Edit[]
}

/** A range of bytes. `end` is the first byte after it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Reads a whole `multipart/form-data` body (RFC 7578, RFC 2046 §5.1).
 *
 * Gives undefined for a malformed body, and for a body that two parsers could read in two ways: the upstream has to read what the gateway
 * decides by. So no text may stand before the first delimiter or after the last.
 *
 * @example
 * const form = readForm(bytes, request.headers.get('content-type') ?? '')
 */
export function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Form | undefined {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return undefined
  const parts = cut(bytes, new TextEncoder().encode(`--${boundary}`))
  if (parts === undefined) return undefined
  const fields = new Map<string, string[]>()
  const spans = new Map<string, Span[]>()
  const files = new Set<string>()
  const contents: Span[] = []
  for (const part of parts) {
    const headEnd = endOfHead(bytes, part)
    const head = headEnd === undefined ? undefined : readPartHead(bytes.subarray(part.start, headEnd))
    if (headEnd === undefined || head === undefined) return undefined
    if (head.isFile) {
      files.add(head.name)
      contents.push({ start: headEnd + 4, end: part.end })
      continue
    }
    const span = { start: headEnd + 4, end: part.end }
    const text = decodeUtf8(bytes.subarray(span.start, span.end))
    if (text === undefined) return undefined
    fields.set(head.name, [...(fields.get(head.name) ?? []), text])
    spans.set(head.name, [...(spans.get(head.name) ?? []), span])
  }
  if (fields.keys().some((name) => files.has(name))) return undefined
  return {
    fields,
    files: contents,
    replace: (name, text) => {
      if (`\n${text}`.includes(`\n--${boundary}`)) throw new ApiError('rules_not_applicable')
      return (spans.get(name) ?? []).map(({ start, end }) => ({ start, end, text }))
    },
  }
}

/** Finds the parts between the delimiters; undefined: the delimiters are malformed. */
function cut(bytes: Uint8Array, delimiter: Uint8Array): Span[] | undefined {
  if (!isAt(bytes, delimiter, 0)) return undefined
  const parts: Span[] = []
  const lines = { left: LINES_MAX }
  let at = delimiter.byteLength
  while (bytes[at] === CR && bytes[at + 1] === LF) {
    const start = at + 2
    const next = findDelimiter(bytes, delimiter, start - 1, lines)
    // Only some parsers take a line that begins like the delimiter, and ends without CR, for a delimiter.
    if (next === undefined || bytes[next - 2] !== CR || next - 2 < start || parts.length === PARTS_MAX) return undefined
    parts.push({ start, end: next - 2 })
    at = next + delimiter.byteLength
  }
  const isClosed = bytes[at] === DASH && bytes[at + 1] === DASH
  const rest = bytes.byteLength - (at + 2)
  const endsThere = rest === 0 || (rest === 2 && bytes[at + 2] === CR && bytes[at + 3] === LF)
  return isClosed && endsThere ? parts : undefined
}

/** Finds the next line that begins with the delimiter; undefined: there is none, or there are too many lines. */
function findDelimiter(
  bytes: Uint8Array,
  delimiter: Uint8Array,
  from: number,
  lines: { left: number },
): number | undefined {
  for (let lf = findLf(bytes, from); lf !== -1; lf = findLf(bytes, lf + 1)) {
    if (isAt(bytes, delimiter, lf + 1)) return lf + 1
    lines.left -= 1
    if (lines.left < 0) return undefined
  }
  return undefined
}

/** Searches natively, except in the next few bytes: a native call for each of very many short lines would take ten times as long. */
function findLf(bytes: Uint8Array, from: number): number {
  const near = from + NEAR_BYTES
  for (let at = from; at < near; at += 1) if (bytes[at] === LF) return at
  return bytes.indexOf(LF, near)
}

function isAt(bytes: Uint8Array, delimiter: Uint8Array, at: number): boolean {
  for (let index = 0; index < delimiter.byteLength; index += 1) {
    if (bytes[at + index] !== delimiter[index]) return false
  }
  return true
}

/** Finds the end of a part's header lines: the CR LF of the last one, and the blank line. */
function endOfHead(bytes: Uint8Array, { start, end }: Span): number | undefined {
  const limit = Math.min(end, start + HEAD_BYTES_MAX)
  for (let cr = bytes.indexOf(CR, start); cr !== -1 && cr + 4 <= limit; cr = bytes.indexOf(CR, cr + 1)) {
    if (bytes[cr + 1] === LF && bytes[cr + 2] === CR && bytes[cr + 3] === LF) return cr
  }
  return undefined
}
