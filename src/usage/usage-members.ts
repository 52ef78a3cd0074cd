import type { PickedMembers } from '../formats/json/member-picker.ts'

const FACTS: PickedMembers = {
  usage: true,
  model: true,
  service_tier: true,
  object: true,
  status: true,
  id: true,
  background: true,
}
const TOOL_CALLS: PickedMembers = { '*': { type: true, action: { type: true }, container_id: true } }

/** The members of an answer, or of an event, that can tell usage in any API: what a `UsageTally` reads. */
export const USAGE_MEMBERS: PickedMembers = {
  ...FACTS,
  type: true,
  output: TOOL_CALLS,
  response: { ...FACTS, output: TOOL_CALLS },
  message: FACTS,
  delta: { usage: true },
  choices: { '*': { usage: true } },
  data: { '*': { b64_json: true, url: true } },
  x_groq: { usage: true },
  timings: true,
  usageMetadata: true,
  svg_usage: true,
  modelVersion: true,
  meta: { billed_units: true, tokens: true },
  prompt_eval_count: true,
  eval_count: true,
}

const MEMBER = '"usage'
/** What follows where it is a member, and its value an object: most streams say `"usage":null` in each event. */
const OF_OBJECT = /(?:Metadata)?"\s*:\s*\{/y

/**
 * Whether an event's text may tell usage; most don't, and need no parser.
 *
 * @example
 * if (mayTellUsage(text)) tally.add(JSON.parse(data))
 */
export function mayTellUsage(text: string): boolean {
  for (let at = text.indexOf(MEMBER); at !== -1; at = text.indexOf(MEMBER, at)) {
    at += MEMBER.length
    OF_OBJECT.lastIndex = at
    if (OF_OBJECT.test(text)) return true
  }
  return text.includes('"timings"')
}
