import { charsetShown, decodeCharset } from './charsets.ts'
import { decodings } from './decodings.ts'
import { parseLoose } from './loose-json.ts'
import { callOf, type PathCall, type PathReader } from './path-readers.ts'
import { isPlainObject, type NameStyle, type PlainObject, takeJson } from './plain-value.ts'
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
  /** Whether the fields of a form are in the charset that its type declares: all of it, or each of them. */
  readonly declaredForms?: boolean
  /** Whether it copies a body into an object of its own, as JavaScript's `Object.assign` does: with what stands in `__proto__`. */
  readonly copies?: boolean
  /** Whether a text where a number belongs is as if it were not there, so that what holds without it does. */
  readonly isTyped?: boolean
}

const MODEL_HEADERS = ['x-litellm-model', 'x-model', 'azureml-model-deployment']
const REWRITTEN = ['x-original-url', 'x-rewrite-url']
/** What is a number to a server that goes by types. */
const NUMBERS = ['max_tokens', 'max_completion_tokens', 'n_predict', 'n', 'n_cmpl', 'thinking_budget_tokens']
const PROTOTYPE = '__proto__'

/**
 * What a server may read in a request: nothing where it has no such path, and more than one thing where its handler may take the body
 * for JSON or for a form.
 *
 * @example
 * const readings = READERS.flatMap((reader) => readingsOf(reader, arrival))
 */
export function readingsOf(reader: Reader, { target, header, body }: Arrival): readonly Reading[] {
  const [path = '', ...query] = target.split('?')
  // Most go by the path, some by what a header has in its place.
  const paths = [path, ...REWRITTEN.map(header).filter((other) => other !== undefined)]
  const calls = paths.map((one) => callOf(reader.path(one))).filter((call) => call !== undefined)
  if (calls.length === 0) return []
  const fields = reader.takesFields(readUrlencoded(query.join('?'), reader.separator))
  const type = header('content-type') ?? 'application/json'
  const decoded = decodings(body, header('content-encoding'))
  const read = decoded.flatMap((bytes) => [...jsonsOf(reader, bytes, type), ...formsOf(reader, bytes, type)])
  const taken = read.length === 0 ? [Object.create(null) as PlainObject] : read
  // Which of the two goes before is not the same everywhere, nor for all types.
  const merged = reader.mergesQuery
    ? taken.flatMap((one) => [
        { ...fields, ...one },
        { ...one, ...fields },
      ])
    : taken
  const inHeaders = MODEL_HEADERS.flatMap((name) => header(name)?.match(/[\w.-]+/g) ?? [])
  return calls.flatMap((call) =>
    merged.map((one) => ({ ...call, reader: reader.name, inHeaders, body: one, query: fields })),
  )
}

/** Also in UTF-8 where a charset is declared: which one that is, if it is well formed at all, not all readers agree on. */
function jsonsOf(reader: Reader, bytes: Buffer, type: string): readonly PlainObject[] {
  if (!reader.json.test(type)) return []
  const declared = reader.charset === 'declared' ? charsetIn(type) : undefined
  const charsets = [reader.charset === 'shown' ? charsetShown(bytes) : 'utf-8', declared]
  return charsets
    .map((charset) => (charset === undefined ? undefined : jsonIn(reader, decodeCharset(bytes, charset))))
    .filter((one) => one !== undefined)
}

function jsonIn(reader: Reader, decoded: string | undefined): PlainObject | undefined {
  const text = decoded?.replace(/^\uFEFF/, '')
  if (text === undefined || !(reader.isLoose || isJson(text))) return undefined
  const value = takeJson(parseLoose(text), reader.names)
  if (!isPlainObject(value)) return undefined
  if (reader.isTyped === true) {
    const texts = NUMBERS.filter((name) => typeof value[name] === 'string' || Array.isArray(value[name]))
    for (const name of texts) delete value[name]
  }
  const inherited = value[PROTOTYPE]
  return reader.copies && isPlainObject(inherited) ? { ...inherited, ...value } : value
}

function formsOf(reader: Reader, bytes: Buffer, type: string): readonly PlainObject[] {
  const isMultipart = /^\s*multipart\//i.test(type)
  if (!isMultipart && !/urlencoded/i.test(type)) return []
  const declared = reader.declaredForms === true ? charsetIn(type) : undefined
  const whole = declared === undefined ? undefined : decodeCharset(bytes, declared)
  const latin1 = isMultipart ? bytes.toString('latin1') : undefined
  const texts = new Set([bytes.toString('utf8'), latin1, whole].filter((text) => text !== undefined))
  const read = [...texts].flatMap((text) =>
    isMultipart ? readMultipart(text, type) : [readUrlencoded(text, reader.separator)],
  )
  const each = declared === undefined ? [] : read.map((fields) => fields.map((field) => decodeField(field, declared)))
  return [...read, ...each].map(reader.takesFields)
}

/** A field whose name and text are in a charset, each where it can be. */
function decodeField([name, text]: Field, charset: string): Field {
  const decode = (raw: string): string => {
    const decoded = decodeCharset(Buffer.from(raw, 'latin1'), charset)
    return decoded === undefined || decoded.includes('\uFFFD') ? raw : decoded
  }
  return [decode(name), decode(text)]
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
