/** Any value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject

/** A JSON object, its fields still unchecked. */
export type JsonObject = { [field: string]: JsonValue }

/** Whether a value is a JSON object: neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects among the items of an array; nothing where the value is no array. */
export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** The value where it is a string, else the empty string. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
