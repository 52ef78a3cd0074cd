import { joinBytes } from '../bytes/join-bytes.ts'

/** One part of a multipart form. */
export interface FormPart {
  readonly name: string
  readonly filename: string | undefined
  readonly content: Uint8Array
}

const BOUNDARY = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/is
/** A quoted value may have a quote in it, behind a backslash. */
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i
const FILENAME = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i

const UTF_8 = new TextEncoder()
const DECODER = new TextDecoder()
const LINE_END = UTF_8.encode('\r\n')
const CLOSING = UTF_8.encode('--')
const HEAD_END = UTF_8.encode('\r\n\r\n')

/**
 * Reads a `multipart/form-data` body, to compare it with another one; undefined: it is not a readable form.
 *
 * @example
 * const parts = readParts(bytes, 'multipart/form-data; boundary=x')
 */
export function readParts(bytes: Uint8Array, contentType: string): FormPart[] | undefined {
  const [, quoted, token] = BOUNDARY.exec(contentType) ?? []
  const boundary = quoted ?? token
  if (boundary === undefined) return undefined
  // With a line end in front, the first delimiter looks like the others.
  const body = joinBytes([LINE_END, bytes])
  const delimiter = UTF_8.encode(`\r\n--${boundary}`)
  const parts: FormPart[] = []
  let at = findDelimiter(body, delimiter, 0)
  while (at !== -1) {
    const start = at + delimiter.byteLength
    if (isAt(body, CLOSING, start)) return parts
    const end = findDelimiter(body, delimiter, start)
    const part = end === -1 ? undefined : readPart(body.subarray(start, end))
    if (part === undefined) return undefined
    parts.push(part)
    at = end
  }
  return undefined
}

/** A delimiter is a line of its own: a text may begin like one, and go on. */
function findDelimiter(body: Uint8Array, delimiter: Uint8Array, from: number): number {
  let at = indexOf(body, delimiter, from)
  while (at !== -1) {
    const end = at + delimiter.byteLength
    if (isAt(body, CLOSING, end) || isAt(body, LINE_END, end)) return at
    at = indexOf(body, delimiter, at + 1)
  }
  return -1
}

/** `bytes` begins with the line end behind the delimiter. */
function readPart(bytes: Uint8Array): FormPart | undefined {
  const headEnd = indexOf(bytes, HEAD_END, 0)
  if (headEnd === -1) return undefined
  const lines = DECODER.decode(bytes.subarray(0, headEnd)).split('\r\n')
  const disposition = lines.find((line) => /^content-disposition:\s*form-data/i.test(line))
  const name = disposition === undefined ? undefined : parameterOf(NAME, disposition)
  if (disposition === undefined || name === undefined) return undefined
  return { name, filename: parameterOf(FILENAME, disposition), content: bytes.subarray(headEnd + HEAD_END.byteLength) }
}

function parameterOf(pattern: RegExp, disposition: string): string | undefined {
  const [, quoted, token] = pattern.exec(disposition) ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? token
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const [first = 0] = wanted
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (isAt(bytes, wanted, at)) return at
  }
  return -1
}

function isAt(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte)
}
