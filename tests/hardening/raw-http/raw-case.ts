/** Bytes of one connection, with what a correct reader may make of them. Text is Latin-1: one character for each byte. */
export interface RawCase {
  /** `lengths.12`: its group, and its place in it. */
  readonly id: string
  readonly text: string
  /** What may be forwarded of it, by name: `first`, and the request behind it, which malformed framing must never let through. */
  readonly mayForward: readonly ('first' | 'second')[]
  /** Whether all of that has to be forwarded: odd, but with one meaning only. */
  readonly isOdd: boolean
  /** Whether its end is missing, so that the server may wait for it as long as its timer says. */
  readonly isUnfinished: boolean
}

/** A body that every endpoint takes. */
export const BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
export const SIZE = BODY.length.toString(16)
export const CHUNKED_BODY = `${SIZE}\r\n${BODY}\r\n0\r\n\r\n`
export const LENGTH = `Content-Length: ${BODY.length}`
export const CHUNKED = 'Transfer-Encoding: chunked'

/** Stands for a case's tag, by which what comes upstream is told from what another case sent. */
export const TAG = '{tag}'
const HOST = 'Host: a'
const KEY = `Authorization: Bearer sk-${TAG}`
const FIRST = `/v1/files?c=${TAG}&n=first`

/** What must not be taken for a request where the framing before it is in doubt. */
export const SECOND = `GET /v1/models?c=${TAG}&n=second HTTP/1.1\r\n${HOST}\r\n${KEY}\r\nConnection: close\r\n\r\n`

/** A request line with another one in its place, and a plain request behind it. */
export function withRequestLine(line: string): string {
  return `${line.replaceAll('{t}', FIRST)}\r\n${HOST}\r\n${KEY}\r\n\r\n${SECOND}`
}

/** A POST with these header lines, ended as they are to be, and this body. */
export function withHeaders(lines: string, body: string = BODY): string {
  return `POST ${FIRST} HTTP/1.1\r\n${HOST}\r\n${KEY}\r\n${lines}\r\n\r\n${body}${SECOND}`
}

/** A GET with these lines in the place of its Host. */
export function withHosts(lines: string): string {
  return `GET ${FIRST} HTTP/1.1\r\n${lines}${KEY}\r\n\r\n${SECOND}`
}

/** A plain POST with this behind it. */
export function withTail(tail: string): string {
  return `POST ${FIRST} HTTP/1.1\r\n${HOST}\r\n${KEY}\r\n${LENGTH}\r\n\r\n${BODY}${tail}`
}

/** A whole text with the target in its place. */
export function asWritten(text: string): string {
  return text.replaceAll('{t}', FIRST).replaceAll('{key}', KEY).replaceAll('{second}', SECOND)
}

/** How the cases of a group differ from malformed ones. */
export interface GroupOptions {
  readonly mayForward?: RawCase['mayForward']
  readonly isOdd?: boolean
  readonly isUnfinished?: boolean
}

/** Makes the cases of a group: without options, malformed ones of which nothing may be forwarded. */
export function groupOf(name: string, texts: readonly string[], options: GroupOptions = {}): readonly RawCase[] {
  const { mayForward = [], isOdd = false, isUnfinished = false } = options
  return texts.map((text, index) => ({ id: `${name}.${index + 1}`, text, mayForward, isOdd, isUnfinished }))
}
