/** `multipart/form-data`, and the text behind it. */
const MEDIA_TYPE = /^\s*multipart\/form-data\s*(;.*)$/is
/** One parameter with its semicolon; a quoted value has no backslash in it, since a boundary can't. */
const PARAMETER = /\s*;\s*([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([^\s";,]+))/y
/** RFC 2046 §5.1.1, without the comma and the space, which not every parser takes. */
const BOUNDARY = /^[0-9A-Za-z'()+_\-./:=?]{1,70}$/

/** The first boundary, whatever stands around it. */
const FIRST = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/is

/**
 * The boundary that a `Content-Type: multipart/form-data` names; undefined: it names none. Read strictly, two or an invalid one are none
 * either; else the first one counts.
 *
 * @example
 * const boundary = boundaryOf('multipart/form-data; boundary=x', true)
 */
export function boundaryOf(contentType: string, isStrict: boolean): string | undefined {
  if (!isStrict) {
    const [, quoted, token] = FIRST.exec(contentType) ?? []
    return quoted ?? token
  }
  const parameters = MEDIA_TYPE.exec(contentType)?.[1]?.trimEnd()
  if (parameters === undefined) return undefined
  let boundary: string | undefined
  PARAMETER.lastIndex = 0
  while (PARAMETER.lastIndex < parameters.length) {
    const [, name = '', quoted, token] = PARAMETER.exec(parameters) ?? []
    if (name === '') return undefined
    const key = name.toLowerCase()
    // `boundary*=` and `boundary*0=` are other ways to write it (RFC 2231), which some parsers go by.
    if (key.startsWith('boundary*')) return undefined
    if (key !== 'boundary') continue
    if (boundary !== undefined) return undefined
    boundary = quoted ?? token
  }
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : undefined
}
