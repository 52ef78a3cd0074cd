import type { JsonObject } from '../formats/json/json.ts'
import type { ToldUsage } from './usage.ts'

/** Gathers what an answer tells of its usage while it passes, and how much of it has passed, in case it tells nothing. */
export interface UsageTally {
  /** An event of a stream, or a whole JSON answer. */
  readonly add: (value: JsonObject) => void
  /** So many characters of text have passed. */
  readonly saw: (characters: number) => void
  /** All that is known so far; at the end of the answer, all that there is. */
  readonly told: () => ToldUsage
}
