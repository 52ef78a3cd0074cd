import type { Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { wordsOfValue } from '../openai/json-type-words.ts'
import type { Names } from './name-tree.ts'

/** The caller chooses names and values, of any length, and a message goes into the answer. */
const QUOTED_CHARS_MAX = 64
const LISTED_VALUES_MAX = 10

/** The path of a parameter as an error names it: with dots, and cut where it is very long. */
export function paramOf(names: Names): string {
  return cut(names.join('.'))
}

/** The refusal of a parameter that `deny` or `allow` forbids. */
export function notAllowed(names: Names, rule?: number): ApiError {
  const param = paramOf(names)
  return new ApiError('parameter_not_allowed', {
    message: `Parameter '${param}' is not allowed by this server.`,
    param,
    rule,
  })
}

/** The refusal of a value that `values` does not list, with the first ten listed ones. */
export function unsupportedValue(names: Names, value: unknown, allowed: readonly Json[], rule?: number): ApiError {
  const listed = allowed.slice(0, LISTED_VALUES_MAX).map(quoteValue).join(', ')
  const more = allowed.length > LISTED_VALUES_MAX ? `, and ${allowed.length - LISTED_VALUES_MAX} more` : ''
  return new ApiError('parameter_not_allowed', {
    message: `Unsupported value: ${quoteSentValue(value)} is not supported with this server. Supported values are: ${listed}${more}.`,
    param: paramOf(names),
    code: 'unsupported_value',
    rule,
  })
}

/** The refusal of a value that should be a number, in OpenAI's words. */
export function notANumber(names: Names, value: unknown, rule?: number): ApiError {
  const param = paramOf(names)
  return new ApiError('invalid_parameter', {
    message: `Invalid type for '${param}': expected a number, but got ${wordsOfValue(value)} instead.`,
    param,
    code: 'invalid_type',
    rule,
  })
}

/** The refusal of a number that some servers take for no cap, in OpenAI's words. */
export function belowMinimum(names: Names, value: number, least: number, rule?: number): ApiError {
  const param = paramOf(names)
  return new ApiError('invalid_parameter', {
    message: `Invalid '${param}': integer below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
    param,
    code: 'integer_below_min_value',
    rule,
  })
}

/** The refusal of more answers than the cap on all of them together has tokens for. */
export function tooManyAnswers(
  names: Names,
  count: number,
  max: { readonly value: number; readonly rule: number },
): ApiError {
  const param = paramOf(names)
  return new ApiError('parameter_not_allowed', {
    message: `This request asks for ${count} answers, by '${param}' among others, and this server allows ${max.value} tokens in all answers to one request together. Ask for fewer.`,
    param,
    rule: max.rule,
  })
}

/** The refusal of a request without a parameter that `require` names, in OpenAI's words. */
export function missingParam(names: Names, rule?: number): ApiError {
  const param = paramOf(names)
  return new ApiError('invalid_parameter', {
    message: `Missing required parameter: '${param}'.`,
    param,
    code: 'missing_required_parameter',
    rule,
  })
}

/** The refusal of a body that is no object: an array, a string or the like. */
export function notAnObject(what: 'parameters' | 'model' = 'parameters'): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the ${what} of this request, and its body is not a JSON object.`,
  })
}

/** The refusal of a name that occurs twice: the upstream might take the value that no rule has seen. */
export function sentTwice(names: Names): ApiError {
  const param = paramOf(names)
  return new ApiError('rules_not_applicable', {
    message: `Parameter '${param}' occurs more than once. This server has a rule for it and takes it only once.`,
    param,
  })
}

/** The refusal of a name that some upstreams, which ignore case, take for `meant`, the subject of a rule. */
export function spelledOtherwise(names: Names, meant: string): ApiError {
  const param = paramOf(names)
  return new ApiError('rules_not_applicable', {
    message: `This server has a rule for the parameter '${meant}' and takes it in this spelling only, not as '${param}'.`,
    param,
  })
}

/** The refusal of a body that needs too many changes. */
export function tooManyChanges(changesMax: number): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server's rules would change more than ${changesMax} parameters of this request. Leave out those that it does not allow.`,
  })
}

/** The refusal of a parameter whose parent is no object; `depth`: how many names lead to that parent. */
export function parentNotAnObject(names: Names, depth: number): ApiError {
  const param = paramOf(names)
  return new ApiError('rules_not_applicable', {
    message: `This server's rule for '${param}' cannot be applied, because '${paramOf(names.slice(0, depth))}' is not an object.`,
    param,
  })
}

/** The refusal of a form in which a rule would have to change something. */
export function notInAForm(names: Names): ApiError {
  const param = paramOf(names)
  return new ApiError('rules_not_applicable', {
    message: `This server's rule for '${param}' cannot be applied to a form.`,
    param,
  })
}

/** A rule's value for a message or an explanation: a string in quotes, anything else as JSON, cut if it is long. */
export function quoteValue(value: unknown): string {
  return typeof value === 'string' ? `'${cut(value)}'` : cut(JSON.stringify(value))
}

/** A caller's value for a message. Objects and arrays are only named: they may be too large and too deep to be written. */
export function quoteSentValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? wordsOfValue(value) : quoteValue(value)
}

function cut(text: string): string {
  return text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX - 3)}...` : text
}
