/** A field of a form, as it was sent: in order, with names as they stand there. */
export type Field = readonly [name: string, text: string]

/**
 * Reads a body of `application/x-www-form-urlencoded`, or a query.
 *
 * @example
 * const fields = readUrlencoded('model=m&max_tokens[]=5', '&')
 */
export function readUrlencoded(text: string, separator: RegExp): readonly Field[] {
  return text
    .split(separator)
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      return at === -1 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]
    })
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

const NAME = /[;\s]name\*?=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^;\s]*))/gi

/** Where a part begins: at a line's start; anywhere; or only where it is not the last one's end. */
const DELIMITERS: readonly ((escaped: string) => RegExp)[] = [
  (delimiter) => new RegExp(`\\n--${delimiter}`),
  (delimiter) => new RegExp(`--${delimiter}`),
  (delimiter) => new RegExp(`\\n--${delimiter}\\r?(?=\\n)`),
]

/**
 * Reads a multipart form in the ways in which tolerant parsers do: by the first boundary that the type names or by the last, with text before
 * and behind, lines that end in LF alone, parts of any type, files too.
 *
 * @example
 * const [fields] = readMultipart(body.toString('latin1'), 'multipart/form-data; boundary=b')
 */
export function readMultipart(body: string, contentType: string): readonly (readonly Field[])[] {
  const named = [...contentType.matchAll(/boundary=(?:"([^"]*)"|([^;\s]*))/gi)].map(
    (found) => found[1] ?? found[2] ?? '',
  )
  const boundaries = [...new Set(named)].filter((boundary) => boundary !== '')
  return boundaries.flatMap((boundary) => {
    const escaped = boundary.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return DELIMITERS.map((delimiter) => fieldsIn(`\n${body}`.split(delimiter(escaped)).slice(1)))
  })
}

function fieldsIn(parts: readonly string[]): readonly Field[] {
  const fields: Field[] = []
  for (const part of parts) {
    const text = part.replace(/^[^\n]*\n/, '')
    const end = /\r?\n\r?\n/.exec(text)
    if (end === null) continue
    const head = text.slice(0, end.index)
    const value = text.slice(end.index + end[0].length).replace(/\r?\n?$/, '')
    // Of a part with two names some take the first and some the last.
    for (const name of head.matchAll(NAME)) {
      const written = name[1]?.replace(/\\(.)/g, '$1') ?? name[2] ?? name[3] ?? ''
      fields.push([/name\*=/i.test(head) ? decode(written.replace(/^[^']*'[^']*'/, '')) : written, value])
    }
  }
  return fields
}
