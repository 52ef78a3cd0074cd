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

function pastSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at += 1
  return at
}
