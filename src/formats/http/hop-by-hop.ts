import { createAttachment } from '../attachment.ts'

/** A token, of which the names of headers and methods are made: the source of a regular expression (RFC 9110 §5.6.2). */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

/**
 * Headers that belong to one connection and never cross a proxy (RFC 9110 §7.6.1, with RFC 2616's
 * `Keep-Alive` and the de-facto `Proxy-Connection`).
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NAME = new RegExp(`^${TOKEN}$`)

const notes = createAttachment<Headers, readonly string[]>('hop-by-hop')

/**
 * Gives the names of the headers that belong to one connection: the hop-by-hop ones that are there, and those named by `Connection`.
 *
 * @example
 * for (const name of hopByHopIn(headers)) headers.delete(name)
 */
export function hopByHopIn(headers: Headers): readonly string[] {
  return notes.get(headers) ?? findHopByHop(headers)
}

/**
 * Notes beside headers that nobody changes any more which of them are hop-by-hop, by those of `like`: they have the same names, and the
 * same `Connection`.
 *
 * @example
 * noteHopByHop(headers, known)
 */
export function noteHopByHop(headers: Headers, like: Headers): void {
  notes.set(headers, hopByHopIn(like))
}

function findHopByHop(headers: Headers): readonly string[] {
  const named = namedByConnection(headers)
  return [...named, ...HOP_BY_HOP.values().filter((name) => headers.has(name))]
}

const NONE: readonly string[] = []

/**
 * Gives the names of the headers that are named by `Connection`, which may name anything: `Headers` would throw on one that is no token.
 *
 * @example
 * for (const name of namedByConnection(headers)) headers.delete(name)
 */
export function namedByConnection(headers: Headers): readonly string[] {
  const value = headers.get('connection')
  if (value === null) return NONE
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => NAME.test(name))
}
