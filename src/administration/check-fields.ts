import { KindGuard, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { Errors, type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { ApiError } from '../openai/api-error.ts'
import { joinWords, wordsOfSchema, wordsOfValue } from '../openai/json-type-words.ts'

const NAME_CHARS_MAX = 64

/**
 * Gives a body or a query as its shape says. Throws `invalid_parameter` in OpenAI's words at its first fault: a field that is not known is
 * one, since a limit that is dropped in silence is a limit that nobody has.
 *
 * @example
 * const { name } = checkFields(CreateProject, body)
 */
export function checkFields<T extends TObject>(shape: T, value: unknown): Static<T> {
  const error = Errors(shape, value).First()
  if (error === undefined) return value as Static<T>
  throw refusalOf(deepest(error))
}

/** A union's own error says little: the caller's is that of the member that got furthest, or of the one beside null. */
function deepest(error: ValueError): ValueError {
  const { schema } = error
  if (!KindGuard.IsUnion(schema) || choicesOf(schema) !== undefined) return error
  const within = error.errors.flatMap((errors) => errors.First() ?? []).filter((one) => !KindGuard.IsNull(one.schema))
  const [first, second] = within.toSorted((one, other) => depthOf(other) - depthOf(one))
  if (first === undefined) return error
  return second === undefined || depthOf(first) > depthOf(second) ? deepest(first) : error
}

function depthOf({ path }: ValueError): number {
  return path.split('/').length
}

/** The words that a union of literals allows; undefined: the schema is another. */
function choicesOf(schema: TSchema): readonly unknown[] | undefined {
  if (!KindGuard.IsUnion(schema)) return undefined
  const members = schema.anyOf.filter((one) => !KindGuard.IsNull(one))
  return members.every((one) => KindGuard.IsLiteral(one)) ? members.map((one) => one['const']) : undefined
}

function refusalOf(error: ValueError): ApiError {
  const param = paramOf(error.path)
  const [code, message] = wordsOf(error, param)
  return new ApiError('invalid_parameter', { message, param: param === '' ? null : param, code })
}

/** OpenAI's code and message of an error. */
function wordsOf({ type, schema, value }: ValueError, param: string): readonly [code: string, message: string] {
  const length = typeof value === 'string' || Array.isArray(value) ? value.length : 0
  switch (type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return ['unknown_parameter', `Unknown parameter: '${param}'.`]
    case ValueErrorType.ObjectRequiredProperty:
      return ['missing_required_parameter', `Missing required parameter: '${param}'.`]
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.NumberMinimum:
      return bound(schema, 'below minimum', `>= ${schema['minimum']}`, param, value)
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMaximum:
      return bound(schema, 'above maximum', `<= ${schema['maximum']}`, param, value)
    case ValueErrorType.StringMinLength:
      return [
        'string_below_min_length',
        `Invalid '${param}': string too short. Expected a string with minimum length ${schema['minLength']}, but got a string with length ${length} instead.`,
      ]
    case ValueErrorType.StringMaxLength:
      return [
        'string_above_max_length',
        `Invalid '${param}': string too long. Expected a string with maximum length ${schema['maxLength']}, but got a string with length ${length} instead.`,
      ]
    case ValueErrorType.ArrayMinItems:
      return [
        'empty_array',
        `Invalid '${param}': empty array. Expected an array with minimum length ${schema['minItems']}, but got an empty array instead.`,
      ]
    case ValueErrorType.ArrayMaxItems:
      return [
        'array_above_max_length',
        `Invalid '${param}': array too long. Expected an array with maximum length ${schema['maxItems']}, but got an array with length ${length} instead.`,
      ]
    case ValueErrorType.ObjectMaxProperties:
      return [
        'object_above_max_properties',
        `Invalid '${param}': too many properties. Expected an object with at most ${schema['maxProperties']} properties.`,
      ]
    case ValueErrorType.StringPattern:
      return [
        'invalid_value',
        `Invalid '${param}': '${shorten(String(value))}' is no ${schema.title ?? 'value that is taken here'}.`,
      ]
    default:
      return wrongKind(schema, value, param)
  }
}

function wrongKind(schema: TSchema, value: unknown, param: string): readonly [code: string, message: string] {
  const choices = KindGuard.IsLiteral(schema) ? [schema.const] : choicesOf(schema)
  if (choices !== undefined && typeof value === typeof choices[0]) {
    const shown = choices.map((one) => `'${one}'`)
    const list = shown.length === 1 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
    return ['invalid_value', `Invalid value: '${shorten(String(value))}'. Supported values are: ${list}.`]
  }
  // OpenAI has the field, and this server has no use for it.
  if (KindGuard.IsNull(schema)) {
    return ['unsupported_value', `Unsupported value: '${param}' is not served here. Leave it out, or send null.`]
  }
  const expected = choices === undefined ? joinWords(wordsOfSchema(schema)) : `a ${typeof choices[0]}`
  return ['invalid_type', `Invalid type for '${param}': expected ${expected}, but got ${wordsOfValue(value)} instead.`]
}

function bound(
  schema: TSchema,
  fault: 'below minimum' | 'above maximum',
  range: string,
  param: string,
  value: unknown,
): readonly [code: string, message: string] {
  // OpenAI's word for a number that may have a fraction.
  const kind = KindGuard.IsInteger(schema) ? 'integer' : 'decimal'
  const code = `${kind}_${fault === 'below minimum' ? 'below_min' : 'above_max'}_value`
  return [code, `Invalid '${param}': ${kind} ${fault} value. Expected a value ${range}, but got ${value} instead.`]
}

/** OpenAI's form of a field's place: `rate_limits[0].model`. */
function paramOf(path: string): string {
  const steps = path.split('/').slice(1)
  return steps
    .map((step) => shorten(step.replaceAll('~1', '/').replaceAll('~0', '~')))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('')
}

/** A caller chooses names and values, of any length, and the message goes into the answer. */
function shorten(text: string): string {
  return text.length > NAME_CHARS_MAX ? `${text.slice(0, 3)}...${text.slice(-3)}` : text
}
