import { hasBytesAt } from '../bytes/byte-string.ts'
import { boundaryOf } from './form-boundary.ts'
import { type PartHead, readPartHead } from './form-part.ts'

const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** A form of more lines is not read strictly: a search through them would keep other requests waiting. */
const LINES_MAX = 2_000_000
/** A form of more parts, or with a longer head of a part, is not read strictly. */
const PARTS_MAX = 1000
const HEAD_BYTES_MAX = 16 * 1024
const NEAR_BYTES = 16

/** One part of a multipart form. */
export interface FormPart extends PartHead, Span {
  readonly content: Uint8Array
}

/** A range of bytes. `end` is the first byte after it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** How a form is read. */
export interface ReadPartsOptions {
  /** Whether a body that two parsers could read in two ways is refused; else it is read as most of them do. */
  readonly isStrict: boolean
}

/**
 * Reads a whole `multipart/form-data` body (RFC 7578, RFC 2046 §5.1); undefined: it is malformed, or ambiguous where that counts. So
 * strictly no text may stand before the first delimiter or behind the last, and no line may begin like one and be none.
 *
 * @example
 * const parts = readParts(bytes, 'multipart/form-data; boundary=x', { isStrict: true })
 */
export function readParts(
  bytes: Uint8Array,
  contentType: string,
  { isStrict }: ReadPartsOptions,
): readonly FormPart[] | undefined {
  const boundary = boundaryOf(contentType, isStrict)
  const spans = boundary === undefined ? undefined : cut(bytes, new TextEncoder().encode(`--${boundary}`), isStrict)
  if (spans === undefined) return undefined
  const parts: FormPart[] = []
  for (const span of spans) {
    const headEnd = endOfHead(bytes, span, isStrict)
    const head = headEnd === undefined ? undefined : readPartHead(bytes.subarray(span.start, headEnd), isStrict)
    if (headEnd === undefined || head === undefined) return undefined
    const [start, { end }] = [headEnd + 4, span]
    parts.push({ ...head, start, end, content: bytes.subarray(start, end) })
  }
  return parts
}

/** Finds the parts between the delimiters; undefined: these are malformed, or ambiguous. */
function cut(bytes: Uint8Array, delimiter: Uint8Array, isStrict: boolean): Span[] | undefined {
  const lines = { left: isStrict ? LINES_MAX : Number.POSITIVE_INFINITY }
  const nextFrom = (from: number): number | undefined => findDelimiter(bytes, delimiter, from, { isStrict, lines })
  const parts: Span[] = []
  const isFirst = hasBytesAt(bytes, 0, delimiter) && (isStrict || isEnded(bytes, delimiter.byteLength))
  let at = isFirst ? 0 : isStrict ? undefined : nextFrom(0)
  while (at !== undefined) {
    const behind: number = at + delimiter.byteLength
    if (isClosing(bytes, behind)) return !isStrict || isOver(bytes, behind + 2) ? parts : undefined
    if (!isEnded(bytes, behind)) return undefined
    const start = behind + 2
    at = nextFrom(start - 1)
    // Only some parsers take a line that begins like the delimiter, and ends without CR, for a delimiter.
    if (at === undefined || bytes[at - 2] !== CR || at - 2 < start) return undefined
    if (isStrict && parts.length === PARTS_MAX) return undefined
    parts.push({ start, end: at - 2 })
  }
  return undefined
}

/** Whether a delimiter that ends here is a line of its own, or closes the form: a text may begin like one, and go on. */
function isEnded(bytes: Uint8Array, behind: number): boolean {
  return (bytes[behind] === CR && bytes[behind + 1] === LF) || isClosing(bytes, behind)
}

function isClosing(bytes: Uint8Array, behind: number): boolean {
  return bytes[behind] === DASH && bytes[behind + 1] === DASH
}

function isOver(bytes: Uint8Array, at: number): boolean {
  const rest = bytes.byteLength - at
  return rest === 0 || (rest === 2 && bytes[at] === CR && bytes[at + 1] === LF)
}

/** Finds the next line that begins with the delimiter, which read strictly counts, whatever it is; undefined: none, or too many lines. */
function findDelimiter(
  bytes: Uint8Array,
  delimiter: Uint8Array,
  from: number,
  { isStrict, lines }: { readonly isStrict: boolean; readonly lines: { left: number } },
): number | undefined {
  for (let lf = findLf(bytes, from); lf !== -1; lf = findLf(bytes, lf + 1)) {
    const isFound = hasBytesAt(bytes, lf + 1, delimiter)
    if (isFound && (isStrict || (bytes[lf - 1] === CR && isEnded(bytes, lf + 1 + delimiter.byteLength)))) return lf + 1
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

/** Finds the end of a part's header lines: the CR LF of the last one, and the blank line. */
function endOfHead(bytes: Uint8Array, { start, end }: Span, isStrict: boolean): number | undefined {
  // The line end behind the delimiter ends a head of no line.
  if (bytes[start] === CR && bytes[start + 1] === LF) return undefined
  const limit = isStrict ? Math.min(end, start + HEAD_BYTES_MAX) : end
  for (let cr = bytes.indexOf(CR, start); cr !== -1 && cr + 4 <= limit; cr = bytes.indexOf(CR, cr + 1)) {
    if (bytes[cr + 1] === LF && bytes[cr + 2] === CR && bytes[cr + 3] === LF) return cr
  }
  return undefined
}
