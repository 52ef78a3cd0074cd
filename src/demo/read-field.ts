import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts'
import { invalidType, invalidValue, missingModel, unknownModel } from './refusals.ts'

/** A string field; undefined where it is absent or null. @throws SimulatedError 400 for another type. */
export function readString(body: JsonObject, field: string): string | undefined {
  const value = body[field] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw invalidType(field, 'a string', value)
}

/** A boolean field; `otherwise` where it is absent or null. @throws SimulatedError 400 for another type. */
export function readBoolean(body: JsonObject, field: string, otherwise = false): boolean {
  const value = body[field] ?? otherwise
  if (typeof value === 'boolean') return value
  throw invalidType(field, 'a boolean', value)
}

/** An integer field within [min, max]; undefined where it is absent or null. @throws SimulatedError 400 for another value. */
export function readInteger(body: JsonObject, field: string, min: number, max: number): number | undefined {
  const value = body[field] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(field, 'an integer', value)
  if (value < min || value > max) {
    throw invalidValue(field, `expected an integer from ${min} to ${max}, but got ${value} instead.`)
  }
  return value
}

/** An object field; undefined where it is absent or null. @throws SimulatedError 400 for another type. */
export function readObject(body: JsonObject, field: string): JsonObject | undefined {
  const value = body[field] ?? undefined
  if (value === undefined || isJsonObject(value)) return value
  throw invalidType(field, 'an object', value)
}

/** A field that holds one string or several; empty where it is absent or null. @throws SimulatedError 400 for another type. */
export function readStrings(body: JsonObject, field: string): string[] {
  const value: JsonValue = body[field] ?? []
  const items = Array.isArray(value) ? value : [value]
  return items.map((item) => {
    if (typeof item === 'string') return item
    throw invalidType(field, 'a string or an array of strings', value)
  })
}

/**
 * The model that the body names. Any name is served, but `unknown-model` and those that begin with `missing-`.
 *
 * @throws SimulatedError 400 where there is none, 404 for the names that are never served.
 */
export function readModel(body: JsonObject): string {
  const model = readString(body, 'model')
  if (model === undefined || model === '') throw missingModel()
  if (model === 'unknown-model' || model.startsWith('missing-')) throw unknownModel(model)
  return model
}
