import { decodeUtf8 } from '../formats/bytes/byte-string.ts'
import type { Edit } from '../formats/json/edit.ts'
import { boundaryOf } from '../formats/multipart/form-boundary.ts'
import { readParts, type Span } from '../formats/multipart/read-parts.ts'
import { ApiError } from '../openai/api-error.ts'

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
  const boundary = boundaryOf(contentType, true)
  const parts = readParts(bytes, contentType, { isStrict: true })
  if (boundary === undefined || parts === undefined) return undefined
  const fields = new Map<string, string[]>()
  const spans = new Map<string, Span[]>()
  const files = new Set<string>()
  const contents: Span[] = []
  for (const { name, filename, start, end, content } of parts) {
    if (filename !== undefined) {
      files.add(name)
      contents.push({ start, end })
      continue
    }
    const text = decodeUtf8(content)
    if (text === undefined) return undefined
    fields.set(name, [...(fields.get(name) ?? []), text])
    spans.set(name, [...(spans.get(name) ?? []), { start, end }])
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
