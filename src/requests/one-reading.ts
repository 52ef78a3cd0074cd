import { foldName } from '../formats/json/fold-name.ts'
import { isJsonObject, type Json } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { isModelName } from '../openai/model-names.ts'
import { fieldMeantBy } from '../params/form-fields.ts'
import { treeOf } from '../params/name-tree.ts'
import type { RuleProgram } from '../params/rules.ts'
import type { Form } from './read-form.ts'

/** How nearly all bodies of JSON come. */
const USUAL = /^application\/json(?:; ?charset=utf-8)?$/i
/** Anywhere: where two types are sent, some servers go by the last. */
const FORM_TYPE = /x-www-form-urlencoded/i
/** A media type without its parameters. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+/y
/** One parameter with its semicolon, or the semicolon alone; a backslash in a quoted value is read in more than one way. */
const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([\w!#$%&'*+.^`|~-]+)))?[ \t]*/y
const UTF_8 = /^utf-?8$/i
/** Charsets in which ASCII is what it is everywhere: a body of nothing else reads alike in them. */
const OVER_ASCII = /^(?:us-ascii|ascii|latin1|iso-8859-\d{1,2}|windows-125\d)$/i
const MODEL = treeOf([['model']])
const PROTOTYPE = '__proto__'
const FIELD_NAME = /^[\w.[\]-]+$/
const ASCII_MAX = 0x7f
const SHOWN_CHARS_MAX = 60
/** Two formats go by this name, with and without a head and a checksum: what is read here need not be what is read there. */
const TWO_FORMATS = /(?:^|,)\s*deflate\s*(?:,|$)/i
/** A longer body of another type is not gone through once more for what it may mean to others: it would keep all waiting. */
const OTHER_TYPE_BYTES_MAX = 1024 * 1024

/**
 * Asserts that a body of JSON which a rule or a model decides on is read by its server as it is read here: in UTF-8, and as JSON.
 *
 * A server that goes by the charset of a Content-Type sees other names in the same bytes (UTF-7 hides any text behind `+` and `-`),
 * and one that goes by the type of a form sees the fields behind an `&` in some text. Throws `rules_not_applicable`.
 *
 * @example
 * assertOneReading(request.headers, json, program)
 */
export function assertOneReading(headers: Headers, json: JsonBody, program: RuleProgram | undefined): void {
  const { bytes, value } = json
  if (isJsonObject(value) && Object.hasOwn(value, PROTOTYPE)) assertNotInherited(value[PROTOTYPE], program)
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
 * Asserts that a form which a rule or a model decides on is read in UTF-8: some servers, Django among them, decode names and texts of
 * fields by a charset in the Content-Type. Throws `rules_not_applicable`.
 *
 * @example
 * assertFormInUtf8('multipart/form-data; boundary=x')
 */
export function assertFormInUtf8(type: string): void {
  const other = charsetsOf(type).find((charset) => !UTF_8.test(charset))
  if (other !== undefined) throw otherCharset(other)
}

/**
 * Asserts that a form whose model decides has it in a field of that name: `Model` and `model[]` are the model to some servers, too.
 * Throws `rules_not_applicable`.
 *
 * @example
 * assertModelField(form)
 */
export function assertModelField({ fields }: Form): void {
  for (const name of fields.keys()) {
    if (name === 'model' || !isModelField(name)) continue
    const param = name.slice(0, SHOWN_CHARS_MAX)
    throw new ApiError('rules_not_applicable', {
      message: `Send the model as a field 'model', not as '${param}'.`,
      param,
    })
  }
}

/**
 * Asserts that no parameter which a rule is about stands in the query, where the rule does not see it: some servers read a query and a
 * body as one. Throws `rules_not_applicable`.
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

/** Whether a body that goes on as it came should go on decoded: its coding is read in more than one way. */
export function hasTwoCodings(headers: Headers): boolean {
  return TWO_FORMATS.test(headers.get('content-encoding') ?? '')
}

/** All charsets that some reader may find in a Content-Type; a type that may name one, and is not well formed, is one as a whole. */
function charsetsOf(type: string): readonly string[] {
  if (!/charset/i.test(type)) return []
  MEDIA_TYPE.lastIndex = 0
  if (!MEDIA_TYPE.test(type)) return [type]
  const charsets: string[] = []
  PARAMETER.lastIndex = MEDIA_TYPE.lastIndex
  while (PARAMETER.lastIndex < type.length) {
    const [found, name = '', quoted, token = ''] = PARAMETER.exec(type) ?? ['']
    if (found === '') return [type]
    // `charset*=` and `charset*0=` are other ways to write the same (RFC 2231).
    if (/^charset/i.test(name)) charsets.push(name.length === 'charset'.length ? (quoted ?? token) : name)
    // A value that holds the word may be cut in another place by another reader.
    else if (/charset/i.test(found)) return [type]
  }
  return charsets
}

/** A server in JavaScript that copies a body's members into an object of its own gets those of `__proto__`, too. */
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

/** JSON that goes by the name of a form, as curl sends it, may be a form with fields to its server. */
function assertNoFields(bytes: Uint8Array, program: RuleProgram | undefined): void {
  const text = new TextDecoder().decode(bytes).replaceAll(';', '&')
  // The first one's name begins with the brace, and is nobody's parameter.
  for (const name of [...new URLSearchParams(text).keys()].slice(1)) {
    if (namesModel(name) || program?.isAbout(name) === true) throw alsoAField(name)
  }
}

/** Whether a field of that name may be a model's, be it by another word; a sentence behind an `&` is no name. */
function namesModel(name: string): boolean {
  return isModelField(name) || (FIELD_NAME.test(name) && isModelName(foldName(name)))
}

/** Whether a server may take a form's field for the model. */
function isModelField(name: string): boolean {
  return fieldMeantBy(name, MODEL) !== undefined
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
