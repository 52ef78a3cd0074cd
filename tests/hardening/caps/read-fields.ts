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

const NAME = /[;\s]name\*?=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^;\s]*))/i

/**
 * Reads a multipart form as tolerant parsers do: text before and behind, lines that end in LF alone, parts of any type, files too.
 *
 * @example
 * const fields = readMultipart(body.toString('latin1'), 'multipart/form-data; boundary=b')
 */
export function readMultipart(body: string, contentType: string): readonly Field[] {
  const boundary = /boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType)
  const delimiter = boundary?.[1] ?? boundary?.[2]
  if (delimiter === undefined || delimiter === '') return []
  const fields: Field[] = []
  for (const part of `\n${body}`.split(`\n--${delimiter}`).slice(1)) {
    const text = part.replace(/^[^\n]*\n/, '')
    const end = /\r?\n\r?\n/.exec(text)
    if (end === null) continue
    const head = text.slice(0, end.index)
    const name = NAME.exec(head)
    if (name === null) continue
    const written = name[1]?.replace(/\\(.)/g, '$1') ?? name[2] ?? name[3] ?? ''
    fields.push([
      /name\*=/i.test(head) ? decode(written.replace(/^[^']*'[^']*'/, '')) : written,
      text.slice(end.index + end[0].length).replace(/\r?$/, ''),
    ])
  }
  return fields
}
