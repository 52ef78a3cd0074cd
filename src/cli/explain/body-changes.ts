import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'

/** The change of one parameter of a body. */
export interface BodyChange {
  /** The path of the parameter, with dots. */
  readonly param: string
  /** The change, such as `"smart" → "gpt-4o"`. */
  readonly what: string
}

const VALUE_CHARS_MAX = 60

/**
 * Lists the parameters in which two JSON bodies differ, in the order of the second body, followed by those that only the first has;
 * undefined: one of them is no object.
 *
 * @example
 * const changes = changesBetween(received, sent)
 */
export function changesBetween(received: string, sent: string): readonly BodyChange[] | undefined {
  const before = parse(received)
  const after = parse(sent)
  return isJsonObject(before) && isJsonObject(after) ? changesOf(before, after, '') : undefined
}

function changesOf(before: JsonObject, after: JsonObject, path: string): BodyChange[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)])
  return [...keys].flatMap((key): BodyChange[] => {
    const param = path + key
    const [old, now] = [before[key], after[key]]
    if (isJsonObject(old) && isJsonObject(now)) return changesOf(old, now, `${param}.`)
    const [oldText, nowText] = [JSON.stringify(old), JSON.stringify(now)]
    if (oldText === nowText) return []
    if (now === undefined) return [{ param, what: `taken out (was ${cut(oldText)})` }]
    if (old === undefined) return [{ param, what: `${cut(nowText)} (put in)` }]
    return [{ param, what: `${cut(oldText)} → ${cut(nowText)}` }]
  })
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function cut(text: string): string {
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX - 1)}…` : text
}
