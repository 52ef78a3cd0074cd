import { hasBytesAt } from '../../formats/bytes/byte-string.ts'
import type { PickedMembers } from '../../formats/json/member-picker.ts'

const FACTS: PickedMembers = {
  usage: true,
  model: true,
  service_tier: true,
  object: true,
  status: true,
  id: true,
  background: true,
}
/** Of a batch. */
const BATCH: PickedMembers = { ...FACTS, output_file_id: true, request_counts: true }
const TOOL_CALLS: PickedMembers = { '*': { type: true, action: { type: true }, container_id: true } }

/** The members of an answer, or of an event, that can tell usage in any API: what a `UsageTally` reads. */
export const USAGE_MEMBERS: PickedMembers = {
  ...BATCH,
  type: true,
  output: TOOL_CALLS,
  response: { ...FACTS, output: TOOL_CALLS, body: { ...FACTS, output: TOOL_CALLS } },
  result: { message: FACTS },
  message: FACTS,
  delta: { usage: true },
  choices: { '*': { usage: true } },
  data: { '*': { ...BATCH, b64_json: true, url: true } },
  x_groq: { usage: true },
  timings: true,
  task: true,
  duration: true,
  usageMetadata: true,
  svg_usage: true,
  modelVersion: true,
  meta: { billed_units: true, tokens: true },
  prompt_eval_count: true,
  eval_count: true,
}

const MEMBER = '"usage'
const MEMBER_BYTES = new TextEncoder().encode(MEMBER)
const TIMINGS_BYTES = new TextEncoder().encode('"timings"')
const BACKSLASH = 0x5c
const LETTER_G = 0x67
const METADATA = 'Metadata'
const QUOTE = 0x22
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const SPACE = 0x20

/**
 * Whether an event's text may tell usage: it has such a member, whose value is an object. Most don't, and need no parser; many say
 * `"usage":null` in each event.
 *
 * @example
 * if (mayTellUsage(text)) tally.add(JSON.parse(data))
 */
export function mayTellUsage(text: string): boolean {
  for (let at = text.indexOf(MEMBER); at !== -1; at = text.indexOf(MEMBER, at)) {
    at += MEMBER.length
    if (text.startsWith(METADATA, at)) at += METADATA.length
    if (text.charCodeAt(at) !== QUOTE) continue
    const colon = pastSpace(text, at + 1)
    if (text.charCodeAt(colon) === COLON && text.charCodeAt(pastSpace(text, colon + 1)) === OPEN_BRACE) return true
  }
  return text.includes('"timings"')
}

/**
 * Where a member begins in the bytes of an event that may tell usage, at `from` or behind it: by its name alone, and none in a text; -1: there is
 * none. Nothing is decoded: the one letter that both names have, and few words, is looked for by the runtime.
 *
 * @example
 * if (usageMemberIn(chunk) === -1) return chunk
 */
export function usageMemberIn(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(LETTER_G, from); at !== -1; at = bytes.indexOf(LETTER_G, at + 1)) {
    const usage = at - 4
    if (usage >= from && isAt(bytes, usage, MEMBER_BYTES)) return usage
    const timings = at - 6
    if (timings >= from && isAt(bytes, timings, TIMINGS_BYTES)) return timings
  }
  return -1
}

/** Whether a name stands there, whose quote is not that of a text within a text. */
function isAt(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  return hasBytesAt(bytes, start, name) && bytes[start - 1] !== BACKSLASH
}

function pastSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at += 1
  return at
}
