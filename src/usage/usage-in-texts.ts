import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { MemberPicker } from '../formats/json/member-picker.ts'
import type { ToldUsage } from './usage.ts'
import { mayTellUsage, USAGE_MEMBERS } from './usage-members.ts'
import { createUsageTally } from './usage-tally.ts'

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

/**
 * What a line of a batch's output file tells: each is a call of its own (`response.body.usage`); undefined: it is none, or has failed.
 *
 * @example
 * for (const line of text.split('\n')) book(usageOfOutputLine(line))
 */
export function usageOfOutputLine(line: string): ToldUsage | undefined {
  const response = parsed(line)?.['response']
  const body = isJsonObject(response) ? response['body'] : undefined
  return isJsonObject(body) && isJsonObject(body['usage']) ? usageOfObject(body) : undefined
}

/**
 * What one object tells: a batch (`usage` is the sum of its calls), a response that was made in the background and is fetched, or the event of
 * a response that has ended. undefined: no usage. Its `object` and `status` say whether it has ended.
 *
 * @example
 * const told = usageOfObject(await answer.json())
 * if (told?.object === 'batch' && told.status === 'completed') book(told)
 */
export function usageOfObject(value: JsonObject): ToldUsage | undefined {
  const { usage, response } = value
  if (!isJsonObject(usage) && !(isJsonObject(response) && isJsonObject(response['usage']))) return undefined
  const tally = createUsageTally()
  tally.add(value)
  return tally.told()
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
