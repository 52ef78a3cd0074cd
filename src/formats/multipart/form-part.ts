import { decodeUtf8 } from '../bytes/byte-string.ts'

/** The head of a form's part. */
export interface PartHead {
  readonly name: string
  /** undefined: the part is a text field. */
  readonly filename: string | undefined
}

const TAB = 0x09
const SPACE = 0x20

const HEADER = /^([\w!#$%&'*+.^`|~-]+):(.*)$/s
const DISPOSITION = /^form-data[ \t]*(;.*)$/is
/** One parameter with its semicolon: a quoted value ends at the first quote, and no backslash may stand before that. */
const PARAMETER = /;[ \t]*([\w!#$%&'+.^`|~-]+\*?)=(?:"((?:[^"\\]|\\(?!"))*)"|([\w!#$%&'*+.^`|~-]+))[ \t]*/y
const PLAIN_TEXT = /^text\/plain(?:[ \t]*;[ \t]*charset="?(?:utf-8|us-ascii)"?)?$/i
const AS_IT_IS = /^(?:7bit|8bit|binary)$/i

/**
 * Reads the head of a part: its header lines, without the blank one behind them.
 *
 * Gives undefined for a head without a name. Read strictly, it gives undefined for a head that two parsers may read differently,
 * too: a name or filename given twice, in another coding or with backslashes, an empty filename, a text in another charset or
 * transfer coding, folded lines, bare CR or LF.
 *
 * @example
 * const head = readPartHead(bytes.subarray(start, end), true)
 */
export function readPartHead(bytes: Uint8Array, isStrict: boolean): PartHead | undefined {
  return isStrict ? readStrictly(bytes) : readAsMostDo(bytes)
}

function readStrictly(bytes: Uint8Array): PartHead | undefined {
  const headers = headersOf(bytes)
  const disposition = DISPOSITION.exec(headers?.get('content-disposition') ?? '')?.[1]
  if (headers === undefined || disposition === undefined) return undefined
  const parameters = parametersOf(disposition)
  const name = parameters?.get('name')
  if (parameters === undefined || name === undefined || !isPlainName(name)) return undefined
  if (!AS_IT_IS.test(headers.get('content-transfer-encoding') ?? 'binary')) return undefined
  const filename = parameters.get('filename')
  // Some parsers take an empty filename for no file, and `filename*` alone for no filename.
  if (filename === '' || (filename === undefined && parameters.has('filename*'))) return undefined
  if (filename !== undefined) return { name, filename }
  // Some parsers take any type other than text for a file.
  return PLAIN_TEXT.test(headers.get('content-type') ?? 'text/plain') ? { name, filename } : undefined
}

/** A quoted value may have a quote in it, behind a backslash. */
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i
const FILENAME = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i
const DECODER = new TextDecoder()

function readAsMostDo(bytes: Uint8Array): PartHead | undefined {
  const lines = DECODER.decode(bytes).split('\r\n')
  const disposition = lines.find((line) => /^content-disposition:\s*form-data/i.test(line)) ?? ''
  const name = parameterIn(NAME, disposition)
  return name === undefined ? undefined : { name, filename: parameterIn(FILENAME, disposition) }
}

function parameterIn(pattern: RegExp, disposition: string): string | undefined {
  const [, quoted, token] = pattern.exec(disposition) ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? token
}

/** The headers by lower-case name; undefined if a line is no header, or a name comes twice. */
function headersOf(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const text = decodeUtf8(bytes)
  if (text === undefined) return undefined
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? []
    const key = name.toLowerCase()
    if (name === '' || hasControl(value) || headers.has(key)) return undefined
    headers.set(key, trimBlanks(value))
  }
  return headers
}

/** The parameters by lower-case name; undefined if the text is not all parameters, or a name comes twice. */
function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = 0
  while (PARAMETER.lastIndex < text.length) {
    const [, name = '', quoted, token = ''] = PARAMETER.exec(text) ?? []
    const key = name.toLowerCase()
    if (name === '' || parameters.has(key)) return undefined
    parameters.set(key, quoted ?? token)
  }
  return parameters
}

/** Whether all parsers read a name alike: `_charset_` would change how the other fields are read. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '_charset_' && name.trim() === name && !name.includes('\\')
}

/** Whether a text has a control character other than a tab. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if ((code < 0x20 && code !== TAB) || code === 0x7f) return true
  }
  return false
}

/** Trims without a pattern: one that looks for blanks before an end takes time by the square of their number. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === TAB || code === SPACE
}
