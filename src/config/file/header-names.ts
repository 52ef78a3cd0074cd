import { HOP_BY_HOP, TOKEN } from '../../formats/http/hop-by-hop.ts'
import type { Fault } from '../kind.ts'

const NAME = new RegExp(`^${TOKEN}$`)

/** Of one message: what the gateway itself writes, beside what belongs to one connection. */
const OF_ONE_MESSAGE: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type'])

/** What is wrong with a name of a header or of a query parameter; undefined: nothing. */
export function tokenFault(name: string): Fault | undefined {
  if (NAME.test(name)) return undefined
  return { wrong: 'is no name that can be sent', cure: 'Use letters, digits, "-" and "_"; no spaces, no colon.' }
}

/** What is wrong with the name of a header that a file wants to set; undefined: nothing. */
export function headerNameFault(name: string): Fault | undefined {
  const known = name.toLowerCase()
  if (!HOP_BY_HOP.has(known) && !OF_ONE_MESSAGE.has(known)) return tokenFault(name)
  return { wrong: 'is a header that the gateway writes itself', cure: 'Take it out.' }
}
