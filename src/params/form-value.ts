import { countKeys } from '../formats/json/equal.ts'
import type { Json, JsonObject } from '../formats/json/json.ts'
import { countMembers } from '../formats/json/skip.ts'
import { numberOfField } from './form-field.ts'
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
    const value = values.length === 1 ? (values[0] ?? null) : values
    const within = innermost(name)
    return [name, within === undefined ? value : { [within]: numbersIn(value) }]
  })
  return Object.fromEntries(entries)
}

/** Of `session[model]` or `tools[0][model]` what leads to the value itself; undefined: the name leads nowhere. */
function innermost(name: string): string | undefined {
  if (!/[[.]/.test(name)) return undefined
  return name
    .split(/[[\].]/)
    .filter((part) => part !== '' && !/^\d+$/.test(part))
    .slice(1)
    .at(-1)
}

/** What a form says is all text: where a number belongs, one that is spelt out is that. */
function numbersIn(value: Json): Json {
  if (Array.isArray(value)) return value.map(numbersIn)
  return typeof value === 'string' ? (numberOfField(value) ?? value) : value
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
