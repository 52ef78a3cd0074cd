import { countKeys } from '../json/equal.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { countMembers } from '../json/skip.ts'
import { sentTwice } from './refusals.ts'

/** A form's text fields, by name. */
interface Fields {
  readonly fields: ReadonlyMap<string, readonly string[]>
}

/**
 * Gives a form's text fields as one object, in which a field that holds an object or a list of JSON is that: a session's parameters
 * come so (OpenAI specification, `realtime/calls`). A name that comes several times is a list. Throws `rules_not_applicable` where one
 * of these names something twice.
 *
 * @example
 * const { session } = valueOfForm(form)
 */
export function valueOfForm({ fields }: Fields): JsonObject {
  const entries = [...fields].map(([name, texts]): [string, Json] => {
    const values = texts.map((text) => readText(name, text))
    return [name, values.length === 1 ? (values[0] ?? null) : values]
  })
  return Object.fromEntries(entries)
}

function readText(name: string, text: string): Json {
  if (!/^\s*[[{]/.test(text)) return text
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return text
  }
  const bytes = new TextEncoder().encode(text)
  if (countMembers(bytes, 0, bytes.length) !== countKeys(value)) throw sentTwice([name, '…'])
  return value
}
