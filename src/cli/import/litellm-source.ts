import { LineCounter, parseDocument } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'

/** A LiteLLM configuration as plain data, or the problem of a text that is none. */
export type LitellmSource =
  | { readonly source: JsonObject; readonly models: readonly Json[] }
  | { readonly problem: string }

/**
 * Reads the text of a LiteLLM proxy configuration: YAML 1.1, as LiteLLM reads it.
 *
 * A problem names the line, and quotes none of the text: it may hold keys.
 */
export function readLitellm(text: string): LitellmSource {
  const lines = new LineCounter()
  const options = { version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const
  const document = parseDocument(text, { ...options, lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) {
    return { problem: `line ${lines.linePos(error.pos[0]).line} is no YAML (${error.code})` }
  }
  const source = toData(document)
  if (!isJsonObject(source)) return { problem: 'it is no LiteLLM configuration: that has keys such as model_list' }
  const models = source['model_list']
  if (!Array.isArray(models) || models.length === 0) {
    return { problem: 'it has no model_list: models that LiteLLM keeps in a database can not be translated' }
  }
  return { source, models }
}

/** Gives the data of a document; undefined if aliases within aliases expand to more than anyone can mean. */
function toData(document: { readonly toJS: () => unknown }): Json | undefined {
  try {
    return plain(document.toJS())
  } catch {
    return undefined
  }
}

/** Turns values that JSON lacks into their texts: a date without quotes is an `api_version`. */
function plain(value: unknown): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString().slice(0, 'yyyy-mm-dd'.length)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  }
  return null
}
