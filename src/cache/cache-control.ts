/** The directives of a `Cache-Control`, by their names in lower case; without an argument: an empty text. */
export type Directives = ReadonlyMap<string, string>

/** A name, and an argument as a token or in quotes (RFC 9111 §5.2). */
const DIRECTIVE = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:([!#$%&'*+.^_`|~0-9a-z-]+)|"((?:[^"\\]|\\.)*)"))?$/i
/** A part between commas; commas in quotes do not count. */
const MEMBER = /(?:[^",]|"(?:[^"\\]|\\.)*")+|"/g

/** A longer text is nobody's wish, and reading it could take long. */
const CHARS_MAX = 1024
/** The longest time; a longer one counts as this (RFC 9111 §1.2.2). */
const SECONDS_MAX = 2 ** 31

/**
 * Reads a `Cache-Control`. What is malformed is left out, and so is all of a text of more than 1024 characters; of a directive
 * that comes twice the first counts.
 *
 * @example
 * const directives = readCacheControl(headers.get('cache-control'))
 * if (directives.has('no-store')) …
 */
export function readCacheControl(value: string | null): Directives {
  const directives = new Map<string, string>()
  if (value === null || value.length > CHARS_MAX) return directives
  for (const [member] of value.matchAll(MEMBER)) {
    const [, name, token, quoted] = DIRECTIVE.exec(member.trim()) ?? []
    const known = name?.toLowerCase()
    if (known === undefined || directives.has(known)) continue
    directives.set(known, token ?? quoted?.replace(/\\(.)/g, '$1') ?? '')
  }
  return directives
}

/**
 * Gives a directive's number of seconds; undefined: there is none, or none that is a number.
 *
 * @example
 * const maxAgeSeconds = secondsOf(directives, 'max-age')
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const text = directives.get(name)
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), SECONDS_MAX) : undefined
}
