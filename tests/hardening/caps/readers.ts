import { charsetShown, decodeCharset } from './charsets.ts'
import { decodings } from './decodings.ts'
import { parseLoose } from './loose-json.ts'
import {
  asAiohttp,
  asExpress,
  asIis,
  asNginx,
  asRails,
  asTomcat,
  callOf,
  type PathCall,
  type PathReader,
} from './path-readers.ts'
import { isPlainObject, type NameStyle, type PlainObject, takeFlat, takeJson, takeNested } from './plain-value.ts'
import { type Field, readMultipart, readUrlencoded } from './read-fields.ts'

/** A request as it came to an upstream. */
export interface Arrival {
  readonly target: string
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
}

/** What one server has read. */
export interface Reading extends PathCall {
  readonly reader: string
  readonly body: PlainObject
  readonly query: PlainObject
  /** Models in headers, which any server may have somebody in front of who reads them. */
  readonly inHeaders: readonly string[]
}

/** How a server reads requests. */
export interface Reader {
  readonly name: string
  readonly path: PathReader
  /** Of which types it takes a body for JSON. */
  readonly json: RegExp
  /** What it takes for JSON: only what is, or what is nearly. */
  readonly isLoose: boolean
  readonly charset: 'declared' | 'shown' | 'utf-8'
  readonly names: NameStyle
  readonly separator: RegExp
  readonly takesFields: (fields: readonly Field[]) => PlainObject
  /** Whether the query's parameters are the body's, too. */
  readonly mergesQuery: boolean
  /** Whether the fields of a form are in the charset that its type declares. */
  readonly declaredForms?: boolean
  /** Whether it copies a body into an object of its own, as JavaScript's `Object.assign` does: with what stands in `__proto__`. */
  readonly copies?: boolean
}

const MODEL_HEADERS = ['x-litellm-model', 'x-model', 'azureml-model-deployment']
const REWRITTEN = ['x-original-url', 'x-rewrite-url']
const PROTOTYPE = '__proto__'
const ANY = /./s
const JSON_ONLY = /^\s*(?:application|text)\/(?:json|[\w.+-]+\+json)/i
const EXACT: NameStyle = { fold: (name) => name, picks: 'last' }
const AMPERSAND = /&/
const EITHER = /[&;]/

const nested = (fold: (name: string) => string) => (fields: readonly Field[]) => takeNested(fields, fold)
const small = (name: string): string => name.toUpperCase().toLowerCase()
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
/** PHP's names of fields: what stands before the first bracket has no dot and no blank. */
const underscored = (name: string): string => name.trimStart().replace(/[. ]/g, '_')

/** The readers: what servers of each kind make of the same bytes. */
export const READERS: readonly Reader[] = [
  {
    name: 'aiohttp',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'declared',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
  },
  {
    name: 'starlette',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'shown',
    names: EXACT,
    separator: EITHER,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: false,
  },
  {
    name: 'express',
    path: asExpress,
    json: JSON_ONLY,
    isLoose: false,
    charset: 'declared',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: nested((name) => name),
    copies: true,
    mergesQuery: true,
  },
  {
    name: 'nginx',
    path: asNginx,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { ...EXACT, picks: 'first' },
    separator: EITHER,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
  },
  {
    name: 'iis',
    path: asIis,
    json: ANY,
    isLoose: true,
    charset: 'declared',
    names: { fold: small, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { fold: small, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'go',
    path: asNginx,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { fold: small, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'tomcat',
    path: asTomcat,
    json: ANY,
    isLoose: true,
    charset: 'declared',
    names: { ...EXACT, picks: 'first' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'php',
    path: asRails,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { fold: (name) => name.replace(/\0.*$/s, ''), picks: 'last' },
    separator: AMPERSAND,
    takesFields: nested(underscored),
    mergesQuery: true,
  },
  {
    name: 'django',
    path: asExpress,
    json: ANY,
    isLoose: false,
    charset: 'declared',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
    declaredForms: true,
  },
  {
    name: 'protobuf',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { fold: snake, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
  },
]

/**
 * What a server may read in a request: nothing where it has no such path, and more than one thing where its handler may take the body
 * for JSON or for a form.
 *
 * @example
 * const readings = READERS.flatMap((reader) => readingsOf(reader, arrival))
 */
export function readingsOf(reader: Reader, { target, header, body }: Arrival): readonly Reading[] {
  const [path = '', ...query] = target.split('?')
  const rewritten = REWRITTEN.map(header).find((other) => other !== undefined)
  const call = callOf(reader.path(rewritten ?? path))
  if (call === undefined) return []
  const fields = reader.takesFields(readUrlencoded(query.join('?'), reader.separator))
  const type = header('content-type') ?? 'application/json'
  const decoded = decodings(body, header('content-encoding'))
  const bodies = decoded.flatMap((bytes) => [jsonOf(reader, bytes, type), formOf(reader, bytes, type)])
  const read = bodies.filter((one) => one !== undefined)
  return (read.length === 0 ? [Object.create(null) as PlainObject] : read).map((one) => ({
    ...call,
    reader: reader.name,
    inHeaders: MODEL_HEADERS.flatMap((name) => header(name)?.match(/[\w.-]+/g) ?? []),
    body: reader.mergesQuery ? { ...fields, ...one } : one,
    query: fields,
  }))
}

function jsonOf(reader: Reader, bytes: Buffer, type: string): PlainObject | undefined {
  if (!reader.json.test(type)) return undefined
  const declared = charsetIn(type)
  const charset =
    reader.charset === 'declared' ? (declared ?? 'utf-8') : reader.charset === 'shown' ? charsetShown(bytes) : 'utf-8'
  const text = decodeCharset(bytes, charset)?.replace(/^\uFEFF/, '')
  if (text === undefined || !(reader.isLoose || isJson(text))) return undefined
  const value = takeJson(parseLoose(text), reader.names)
  if (!isPlainObject(value)) return undefined
  const inherited = value[PROTOTYPE]
  return reader.copies && isPlainObject(inherited) ? { ...inherited, ...value } : value
}

function formOf(reader: Reader, bytes: Buffer, type: string): PlainObject | undefined {
  const isMultipart = /^\s*multipart\//i.test(type)
  if (!isMultipart && !/urlencoded/i.test(type)) return undefined
  const declared = reader.declaredForms === true ? charsetIn(type) : undefined
  const text =
    (declared === undefined ? undefined : decodeCharset(bytes, declared)) ??
    bytes.toString(isMultipart ? 'latin1' : 'utf8')
  return reader.takesFields(isMultipart ? readMultipart(text, type) : readUrlencoded(text, reader.separator))
}

function charsetIn(type: string): string | undefined {
  return /charset\*?\d*\*?="?(?:utf-8'')?([\w.-]+)/i.exec(type)?.[1]
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/\b(?:NaN|-?Infinity)\b/g, '1'))
    return true
  } catch {
    return false
  }
}
