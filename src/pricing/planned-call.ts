import { readAnyBytes } from '../formats/bytes/byte-string.ts'
import type { Usage } from '../openai/usage/usage.ts'

/** A call that is about to be made, as far as it is known. */
export interface PlannedCall {
  /** Its path below `/v1`, such as `chat/completions`. */
  readonly endpoint: string
  /** The model, as the upstream calls it. */
  readonly model: string
  readonly bodyBytes: number
  /** The bytes of a JSON body that has been read; undefined: a form, or a body that passes by. */
  readonly body: Uint8Array | undefined
  /** The members of the body. Numbers and short texts count; one that has not been read, or is anything else, only counts as being there. */
  readonly members: Readonly<Record<string, unknown>>
  /** The tokens that it reads from elsewhere (`previous_response_id`, `conversation`); absent: unknown. */
  readonly earlierTokens?: number | undefined
  /** What a realtime session has heard so far, which is what its response reads; absent: it is none. */
  readonly heard?: HeardInSession | undefined
  /** The tokens that an answer without a cap is expected to have; absent: all that the model can write. */
  readonly outputExpected?: number | undefined
}

/** What a realtime session has heard, in tokens, and whether its answer may be spoken. */
export interface HeardInSession {
  readonly text: number
  readonly audio: number
  readonly images: number
  /** Whether it may have heard more, from elsewhere than this session: all that its model can hold counts then. */
  readonly isOpen: boolean
  readonly speaks: boolean
}

/** What a call may use, by whatever way its endpoint is billed. */
export interface PlannedUse {
  readonly usage: Partial<Usage>
  readonly picture?: string | undefined
}

/** A number of the call that is at least `least`; undefined: there is none. */
export function givenNumber({ members }: Pick<PlannedCall, 'members'>, name: string, least = 1): number | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return typeof value === 'number' && Number.isFinite(value) && value >= least ? value : undefined
}

/** A text of the call; undefined: there is none, or it has not been read. */
export function givenText({ members }: PlannedCall, name: string): string | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** Whether the call has a member, whatever its value, but for null and false. */
export function isGiven({ members }: Pick<PlannedCall, 'members'>, name: string): boolean {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return value !== undefined && value !== null && value !== false
}

/** The words for the most that is written; a server reads one of them, so the largest counts. */
const CAPS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'max_tokens_to_sample'] as const

/** The cap that a call sets for the tokens of one answer; undefined: it sets none. */
export function capOf(call: Pick<PlannedCall, 'members'>): number | undefined {
  let most: number | undefined
  for (const name of CAPS) {
    const cap = givenNumber(call, name)
    if (cap !== undefined && (most === undefined || cap > most)) most = cap
  }
  return most
}

/** How many answers are billed: for each prompt, all that are made, also those that are not the best. */
export function answersOf(call: Omit<PlannedCall, 'model'>): number {
  const each = Math.max(givenNumber(call, 'n') ?? 1, givenNumber(call, 'best_of') ?? 1)
  return call.endpoint === 'completions' ? each * promptsOf(call) : each
}

/** The prompts of a text completion; where the list has not been read, no more than its strings, or its lists of tokens. */
function promptsOf({ members, body }: Omit<PlannedCall, 'model'>): number {
  const prompt = members['prompt']
  if (Array.isArray(prompt)) return prompt.every((one) => typeof one === 'number') ? 1 : prompt.length
  if (prompt === undefined || typeof prompt === 'string' || body === undefined) return 1
  const text = readAnyBytes(body)
  const list = /"prompt"\s*:\s*\[\s*/.exec(text)
  if (list === null) return 1
  const items = text.slice(list.index + list[0].length)
  if (items.startsWith('[')) return items.split('[').length - 1
  return items.startsWith('"') ? Math.max(1, items.split(/(?<!\\)"\s*[,\]]/).length - 1) : 1
}
