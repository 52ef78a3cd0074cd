import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { MemberPicker } from '../../formats/json/member-picker.ts'
import { mayTellUsage, USAGE_MEMBERS } from './usage-members.ts'

/** Of a longer text only the members are read that can tell usage. */
const PARSED_CHARS_MAX = 64 * 1024
const TO_BYTES = new TextEncoder()

/**
 * What a message of a WebSocket tells of usage, for `UsageTally.add`; undefined: nothing. Messages are the data of a stream's events: of
 * Responses (`response.completed`, `.incomplete`, `.failed`), of realtime (`response.done`, and each transcription that has ended).
 *
 * @example
 * const value = usageInFrame(text)
 * if (value !== undefined) tally.add(value)
 */
export function usageInFrame(text: string): JsonObject | undefined {
  return mayTellUsage(text) ? objectIn(text) : undefined
}

function objectIn(text: string): JsonObject | undefined {
  if (text.length <= PARSED_CHARS_MAX) return parsed(text)
  let picked: JsonObject | undefined
  new MemberPicker(USAGE_MEMBERS, (one) => {
    picked = one
  }).add(TO_BYTES.encode(text))
  return picked
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
