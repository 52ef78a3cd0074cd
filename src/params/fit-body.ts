import type { Lacks } from '../config/providers/server-facts.ts'
import { changeMembers, type Edit } from '../formats/json/edit.ts'
import { type Member, membersOf, objectStart } from '../formats/json/members.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { encodedParam } from './receipt.ts'

/** The parameters that are removed from a body for a server that refuses them. */
export interface Fitted {
  /** Empty: nothing is removed, and the bytes go on. */
  readonly edits: readonly Edit[]
  /** For `x-nexcode-params`: `preset=top_k,min_p`; empty for nothing. */
  readonly receipt: string
}

/** Removes the parameters that a server refuses from the text of a JSON body, for an endpoint below `/v1/`. */
export type FitBody = (text: Uint8Array, endpoint: string) => Fitted

const NOTHING: Fitted = { edits: [], receipt: '' }
const NULL = [0x6e, 0x75, 0x6c, 0x6c]
/** Parameters that are never removed: without them a request says something else, and the server had better refuse it. */
const NEVER: ReadonlySet<string> = new Set(['messages', 'prompt', 'input'])
const PARAMS_MAX = 50

/**
 * Makes the function that removes the parameters that a server is known to refuse: those that it does not know, and nulls if it takes
 * none. It looks only at the outermost names, and every other byte stays.
 *
 * @example
 * const fit = createFit({ known: {}, nulls: true })
 * const { edits, receipt } = fit(text, 'chat/completions')
 */
export function createFit({ known, nulls }: Lacks): FitBody {
  const byEndpoint = new Map(Object.entries(known).map(([endpoint, names]) => [endpoint, new Set(names)]))
  return (text, endpoint) => {
    const names = byEndpoint.get(endpointPath(endpoint))
    if (names === undefined && !nulls) return NOTHING
    const members = membersOf(text)
    // Most parsers take the last value of a name that occurs twice.
    const last = new Map(members.map((member) => [member.key, member]))
    const refused = [...last.values()].filter((member) => {
      if (NEVER.has(member.key)) return false
      return names?.has(member.key) === false || (nulls && isNull(text, member))
    })
    if (refused.length === 0) return NOTHING
    const keys = new Set(refused.map(({ key }) => key))
    const removed = new Set(members.filter(({ key }) => keys.has(key)))
    const params = [...keys].slice(0, PARAMS_MAX).map(encodedParam)
    return {
      edits: changeMembers(objectStart(text), members, { removed, inserted: [] }),
      receipt: `preset=${params.join(',')}${keys.size > PARAMS_MAX ? '...' : ''}`,
    }
  }
}

function isNull(text: Uint8Array, { valueStart, valueEnd }: Member): boolean {
  return valueEnd - valueStart === NULL.length && NULL.every((byte, index) => text[valueStart + index] === byte)
}
