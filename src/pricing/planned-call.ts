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
  /** The most tokens that calls like it are known to have written; it counts only where the model's own limit is not known. */
  readonly outputSeen?: number | undefined
}

/** What a call may use, by whatever way its endpoint is billed. */
export interface PlannedUse {
  readonly usage: Partial<Usage>
  readonly picture?: string | undefined
}

/** A number of the call that is at least `least`; undefined: there is none. */
export function givenNumber({ members }: PlannedCall, name: string, least = 1): number | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return typeof value === 'number' && Number.isFinite(value) && value >= least ? value : undefined
}

/** A text of the call; undefined: there is none, or it has not been read. */
export function givenText({ members }: PlannedCall, name: string): string | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** Whether the call has a member, whatever its value, but for null and false. */
export function isGiven({ members }: PlannedCall, name: string): boolean {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return value !== undefined && value !== null && value !== false
}
