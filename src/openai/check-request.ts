import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { compileFirstProblem, type Finding } from './first-problem.ts'
import { joinWords, wordsOfValue } from './json-type-words.ts'

/** A body that is JSON but not an object: OpenAI answers it like a body that is not JSON at all. */
export interface NotAnObject {
  readonly kind: 'not_an_object'
}

/** A field that is certainly wrong. `kind` is also OpenAI's `code`. */
export interface FieldProblem {
  readonly kind: 'missing_required_parameter' | 'empty_array' | 'invalid_type'
  /** The message in OpenAI's words. */
  readonly message: string
  /** The path of the field in OpenAI's form, such as `messages[0].content`. */
  readonly param: string
}

/** The reason why a request's body is refused. */
export type RequestProblem = NotAnObject | FieldProblem

/** Looks for the first problem of a parsed body; undefined: nothing is certainly wrong. */
export type RequestCheck = (value: unknown) => RequestProblem | undefined

const RECORD_KEY_CHARS_MAX = 64

/**
 * Compiles a request schema, once, at start-up, to a check that runs on every request.
 *
 * A good body costs one call of compiled code; only a bad one is searched for its first problem, in the order of the
 * schema's fields, and worded as OpenAI words it. Neither goes deeper than the schema does, so that a deeply nested
 * body cannot exhaust the stack here. The check does not throw for any value that comes from JSON.
 *
 * @throws TypeError for a schema of a kind that is not known here.
 *
 * @example
 * const check = compileRequestCheck(ChatCompletionRequest)
 * const problem = check(body)
 * if (problem?.kind === 'not_an_object') throw invalidJson()
 */
export function compileRequestCheck(schema: TSchema): RequestCheck {
  const compiled = TypeCompiler.Compile(schema)
  const firstProblem = compileFirstProblem(schema)
  return (value) => {
    if (compiled.Check(value)) return undefined
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { kind: 'not_an_object' }
    const found = firstProblem(value)
    // Nothing is found where only the compiled check is stricter: for numbers beyond those that JavaScript holds.
    return found === undefined ? undefined : toFieldProblem(found)
  }
}

function toFieldProblem(found: Finding): FieldProblem {
  const param = paramOf(found.path)
  return { kind: found.kind, message: messageOf(found, param), param }
}

function messageOf({ kind, expected, value }: Finding, param: string): string {
  switch (kind) {
    case 'missing_required_parameter':
      return `Missing required parameter: '${param}'.`
    case 'empty_array':
      return `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`
    case 'invalid_type':
      return `Invalid type for '${param}': expected ${joinWords(expected)}, but got ${wordsOfValue(value)} instead.`
  }
}

function paramOf(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      return index === 0 ? shorten(step) : `.${shorten(step)}`
    })
    .join('')
}

// The caller chooses the keys of `metadata`, of any length, and the message goes into the answer.
function shorten(key: string): string {
  return key.length > RECORD_KEY_CHARS_MAX ? `${key.slice(0, 3)}...${key.slice(-3)}` : key
}
