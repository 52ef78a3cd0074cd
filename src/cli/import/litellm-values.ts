import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { memberPath, type NoteUntranslated } from './untranslated.ts'

/** A timer's delay is a signed 32-bit number of milliseconds (HTML Standard, timers). */
const SECONDS_MAX = 2_147_483
const FROM_ENVIRONMENT = /^os\.environ\/([A-Za-z_]\w*)$/

/** Gives the section of a source with this name; empty if there is none. */
export function sectionOf(source: JsonObject, name: string): JsonObject {
  const section = source[name]
  return isJsonObject(section) ? section : {}
}

/** Reads a text, or a number as a text; undefined: the value is empty or anything else. */
export function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** Reads a number that is not negative, also from a text. */
export function numberOf(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

/** Reads a setting that is a number; any other value, such as a variable, is listed as untranslated. */
export function numberAt(section: JsonObject, key: string, path: string, note: NoteUntranslated): number | undefined {
  const value = section[key]
  const number = numberOf(value)
  if (number === undefined && value !== undefined && value !== null) {
    note(memberPath(path, key), 'is no number: set it by hand')
  }
  return number
}

/** Writes seconds as a duration of nexcode.yaml, no longer than a timer can be. */
export function durationOf(seconds: number): string {
  if (Number.isInteger(seconds) || seconds > SECONDS_MAX) return `${Math.min(seconds, SECONDS_MAX)}s`
  return `${Math.max(1, Math.round(seconds * 1000))}ms`
}

/** Finds the variable that a value names: `os.environ/NAME`; undefined: none. */
export function variableOf(text: string): string | undefined {
  return FROM_ENVIRONMENT.exec(text)?.[1]
}

/** Writes a variable as nexcode.yaml does. */
export function variable(name: string): string {
  return `\${${name}}`
}

/** Writes a value as nexcode.yaml does: `os.environ/NAME` becomes a variable, and a literal `${` is escaped. */
export function translateValue(value: Json): Json {
  if (typeof value === 'string') {
    const name = variableOf(value)
    return name === undefined ? value.replaceAll('${', () => '$${') : variable(name)
  }
  if (Array.isArray(value)) return value.map(translateValue)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, translateValue(member)]))
}

/** Writes a text as nexcode.yaml does. */
export function translateText(text: string): string {
  return String(translateValue(text))
}

/** The parameters of OpenAI's requests. */
export const REQUEST_PARAMETERS: ReadonlySet<string> = new Set([
  ...['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'stop', 'seed', 'user'],
  ...['presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'response_format', 'tools'],
  ...['tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'reasoning_effort', 'reasoning', 'verbosity'],
  ...['service_tier', 'store', 'stream_options', 'modalities', 'audio', 'prediction', 'web_search_options', 'suffix'],
  ...['dimensions', 'encoding_format', 'voice', 'speed', 'size', 'quality', 'style', 'language', 'prompt', 'top_k'],
  ...['safety_identifier', 'prompt_cache_key', 'thinking'],
])

/** Gives a deployment's defaults for parameters that callers leave out, from `litellm_params` and its `extra_body`. */
export function defaultsOf(params: JsonObject): JsonObject {
  const named = Object.entries(params).filter(([key, value]) => REQUEST_PARAMETERS.has(key) && value !== null)
  const extra = Object.entries(sectionOf(params, 'extra_body')).filter(([key]) => key !== 'model')
  return Object.fromEntries([...named, ...extra].map(([key, value]) => [key, translateValue(value)]))
}

/** Replaces a literal that may be a secret by a variable, and lists the variable among the things left to do. */
export type Hide = (literal: string, stem: string, path: string) => string

/**
 * Makes the replacement: names of variables are a stem and a number, and the same literal gets the same variable.
 *
 * @example
 * const hide = createHide(note)
 */
export function createHide(note: NoteUntranslated): Hide {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  return (literal, stem, path) => {
    let name = names.get(literal)
    if (name === undefined) {
      const count = (counts.get(stem) ?? 0) + 1
      counts.set(stem, count)
      name = `${stem}_${count}`
      names.set(literal, name)
    }
    note(path, `is not copied, since it may be secret: set ${name} to it in the environment`)
    return variable(name)
  }
}
