import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { memberPath, type Note } from './untranslated.ts'

/** A timer's delay is a signed 32-bit number of milliseconds (HTML Standard, timers). */
const SECONDS_MAX = 2_147_483
const FROM_ENVIRONMENT = /^os\.environ\/([A-Za-z_]\w*)$/

/** The section of a source by this name; empty where it is none. */
export function sectionOf(source: JsonObject, name: string): JsonObject {
  const section = source[name]
  return isJsonObject(section) ? section : {}
}

/** A text, or a number as one; undefined for what is empty or anything else. */
export function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** A number that is not negative, also one that is written as a text. */
export function numberOf(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

/** A setting that is a number; what is there and is none, such as a variable, is noted. */
export function numberAt(section: JsonObject, key: string, path: string, note: Note): number | undefined {
  const value = section[key]
  const number = numberOf(value)
  if (number === undefined && value !== undefined && value !== null) {
    note(memberPath(path, key), 'is no number: set it by hand')
  }
  return number
}

/** Seconds, as a duration of nexcode.yaml: at most as long as a timer there can be. */
export function durationOf(seconds: number): string {
  if (Number.isInteger(seconds) || seconds > SECONDS_MAX) return `${Math.min(seconds, SECONDS_MAX)}s`
  return `${Math.max(1, Math.round(seconds * 1000))}ms`
}

/** The variable that LiteLLM takes a value from, where it does: `os.environ/NAME`. */
export function variableOf(text: string): string | undefined {
  return FROM_ENVIRONMENT.exec(text)?.[1]
}

/** A variable as nexcode.yaml has it. */
export function variable(name: string): string {
  return `\${${name}}`
}

/** A value as nexcode.yaml has it: `os.environ/NAME` is a variable there, and a literal `${` is escaped. */
export function translateValue(value: Json): Json {
  if (typeof value === 'string') {
    const name = variableOf(value)
    return name === undefined ? value.replaceAll('${', () => '$${') : variable(name)
  }
  if (Array.isArray(value)) return value.map(translateValue)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, translateValue(member)]))
}

/** A text as nexcode.yaml has it. */
export function translateText(text: string): string {
  return String(translateValue(text))
}
