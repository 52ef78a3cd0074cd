import { countKeys } from '../formats/json/equal.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { UNREAD } from '../formats/json/member-scan.ts'
import { countMembers } from '../formats/json/skip.ts'
import { ApiError } from '../openai/api-error.ts'
import { isWords } from '../openai/inner-members.ts'
import { isModelName } from '../openai/model-names.ts'
import { sentTwice } from '../params/refusals.ts'
import type { RuleProgram } from '../params/rules.ts'
import { isKnownPlain, rememberPlain } from './known-values.ts'
import { isModelField } from './one-model.ts'

/** The Content-Type of nearly all JSON bodies. */
const USUAL = /^application\/json(?:; ?charset=utf-8)?$/i
/** The type of a form, at any place: some servers read the last of two types. */
const FORM_TYPE = /x-www-form-urlencoded/i
/** A media type without its parameters. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+/y
/** One parameter with its semicolon, or the semicolon alone; a backslash in a quoted value is read in more than one way. */
const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([\w!#$%&'*+.^`|~-]+)))?[ \t]*/y
const UTF_8 = /^utf-?8$/i
/** The charsets that contain ASCII: a body of ASCII alone reads alike in all of them. */
const OVER_ASCII = /^(?:us-ascii|ascii|latin1|iso-8859-\d{1,2}|windows-125\d)$/i
const PROTOTYPE = '__proto__'
const FIELD_NAME = /^[\w.[\]-]+$/
const ASCII_MAX = 0x7f
const SHOWN_CHARS_MAX = 60
/**
 * The content coding that two formats share, with and without a head and a checksum: the upstream may read another text than the gateway.
 */
const TWO_FORMATS = /(?:^|,)\s*deflate\s*(?:,|$)/i
/** A body of an unusual type is searched for other readings up to this length: a longer search would keep other requests waiting. */
const OTHER_TYPE_BYTES_MAX = 1024 * 1024

/**
 * Asserts that the upstream reads a JSON body as the gateway does: in UTF-8, and as JSON.
 *
 * A server that obeys the charset of the Content-Type sees other names in the same bytes (UTF-7 hides any text behind `+` and `-`). A
 * server that obeys the type of a form sees fields behind an `&` in a text. Throws `rules_not_applicable`.
 *
 * @example
 * assertOneReading(request.headers, json, program)
 */
export function assertOneReading(headers: Headers, json: JsonBody, program: RuleProgram | undefined): void {
  const { bytes, outline } = json
  if (isJsonObject(outline) && Object.hasOwn(outline, PROTOTYPE)) assertNotInherited(outline[PROTOTYPE], program)
  const type = headers.get('content-type')
  if (type === null || USUAL.test(type)) return
  if (bytes.byteLength > OTHER_TYPE_BYTES_MAX && (/charset/i.test(type) || FORM_TYPE.test(type))) throw tooLongFor(type)
  for (const charset of charsetsOf(type)) {
    const isRead = UTF_8.test(charset) || (OVER_ASCII.test(charset) && isAscii(bytes))
    if (!isRead) throw otherCharset(charset)
  }
  if (FORM_TYPE.test(type)) assertNoFields(bytes, program)
}

/**
 * Asserts that the upstream reads a form in UTF-8: some servers, Django among them, decode the names and texts of fields by a charset in
 * the Content-Type. Throws `rules_not_applicable`.
 *
 * @example
 * assertFormInUtf8('multipart/form-data; boundary=x')
 */
export function assertFormInUtf8(type: string): void {
  const other = charsetsOf(type).find((charset) => !UTF_8.test(charset))
  if (other !== undefined) throw otherCharset(other)
}

/** The bytes that begin an object or a list. */
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b])

/**
 * Asserts that no member of a JSON body, all of which are in `value` but free text, hides another one of the same name: the gateway's parser keeps one of the two, and the upstream
 * may read the other one. Throws `rules_not_applicable`.
 *
 * @example
 * assertNothingHidden(json, json.value)
 */
export function assertNothingHidden({ bytes, members, unread }: JsonBody, value: JsonObject): void {
  const seen = new Set<string>()
  const seenWithin = new Set<string>()
  for (const { key, valueStart, valueEnd } of members) {
    const inner: unknown = value[key]
    const hasMore = OPENING.has(bytes[valueStart] ?? 0)
    // A list that was left unread is free text, too.
    if ((hasMore && (inner as typeof UNREAD) === UNREAD) || isWords(key, inner, value)) continue
    // One of two members may hold what the other one hides, or be the model that counts.
    if (seen.has(key) && (hasMore || seenWithin.has(key) || isModelName(foldName(key)))) throw sentTwice([key])
    seen.add(key)
    if (!hasMore) continue
    seenWithin.add(key)
    if (unread !== undefined && isKnownPlain(inner)) continue
    if (countMembers(bytes, valueStart, valueEnd) !== countKeys(inner)) throw sentTwice([key, '…'])
    if (unread !== undefined) rememberPlain(inner)
  }
}

/**
 * Asserts that the query has no parameter that a rule is about, since the rule does not see it there: some servers read the query and
 * the body as one. Throws `rules_not_applicable`.
 *
 * @example
 * assertNotInQuery(exchange.requestTarget, program)
 */
export function assertNotInQuery(target: string, program: RuleProgram | undefined): void {
  const at = program === undefined ? -1 : target.indexOf('?')
  if (at === -1) return
  for (const name of new URLSearchParams(target.slice(at + 1).replaceAll(';', '&')).keys()) {
    if (program?.isAbout(name) !== true) continue
    const param = name.slice(0, SHOWN_CHARS_MAX)
    throw new ApiError('rules_not_applicable', {
      message: `This server has a rule for the parameter '${param}' and takes it in the body only, not in the URL.`,
      param,
    })
  }
}

/** Whether a body has to go on decoded because servers read its coding in more than one way. */
export function hasTwoCodings(headers: Headers): boolean {
  return TWO_FORMATS.test(headers.get('content-encoding') ?? '')
}

/** Lists the charsets that a reader may find in a Content-Type. A malformed type that may name a charset counts as one as a whole. */
function charsetsOf(type: string): readonly string[] {
  if (!/charset/i.test(type)) return []
  MEDIA_TYPE.lastIndex = 0
  if (!MEDIA_TYPE.test(type)) return [type]
  const charsets: string[] = []
  PARAMETER.lastIndex = MEDIA_TYPE.lastIndex
  while (PARAMETER.lastIndex < type.length) {
    const [found, name = '', quoted, token = ''] = PARAMETER.exec(type) ?? ['']
    if (found === '') return [type]
    // `charset*=` and `charset*0=` are other spellings of the same parameter (RFC 2231).
    if (/^charset/i.test(name)) charsets.push(name.length === 'charset'.length ? (quoted ?? token) : name)
    // Another reader may cut a value that holds the word in another place.
    else if (/charset/i.test(found)) return [type]
  }
  return charsets
}

/**
 * Asserts that `__proto__` holds no such parameter: a server in JavaScript that copies a body's members into its own object gets those of
 * `__proto__`, too.
 */
function assertNotInherited(inner: Json | undefined, program: RuleProgram | undefined): void {
  if (!isJsonObject(inner)) return
  for (const name of Object.keys(inner)) {
    if (!namesModel(name) && program?.isAbout(name) !== true) continue
    const param = `${PROTOTYPE}.${name.slice(0, SHOWN_CHARS_MAX)}`
    throw new ApiError('rules_not_applicable', {
      message: `This server has rules for the model or the parameters of this request, and does not take one within '${PROTOTYPE}'.`,
      param,
    })
  }
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= ASCII_MAX)
}

/** Asserts that JSON with the type of a form, as curl sends it, has no fields that its server may read. */
function assertNoFields(bytes: Uint8Array, program: RuleProgram | undefined): void {
  const text = new TextDecoder().decode(bytes).replaceAll(';', '&')
  // The first name begins with the brace, so it is no parameter.
  for (const name of [...new URLSearchParams(text).keys()].slice(1)) {
    if (namesModel(name) || program?.isAbout(name) === true) throw alsoAField(name)
  }
}

/** Whether a field of that name may name a model, also by another word. A sentence behind an `&` is no name. */
function namesModel(name: string): boolean {
  return isModelField(name) || (FIELD_NAME.test(name) && isModelName(foldName(name)))
}

function tooLongFor(type: string): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server decides by the content of this request, and goes through a body of the type '${type.slice(0, SHOWN_CHARS_MAX)}' only up to 1 MiB. Send it as application/json.`,
  })
}

function otherCharset(charset: string): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server decides by the content of this request, and reads it in UTF-8, not in '${charset.slice(0, SHOWN_CHARS_MAX)}'. Send the body in UTF-8.`,
  })
}

function alsoAField(name: string): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `The body of this request is JSON, and by its Content-Type a form with a field '${name.slice(0, SHOWN_CHARS_MAX)}'. Send it as application/json.`,
    param: name.slice(0, SHOWN_CHARS_MAX),
  })
}
