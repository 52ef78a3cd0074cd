import { HOP_BY_HOP, TOKEN } from '../../formats/http/hop-by-hop.ts'
import type { Fault } from '../kind.ts'

const NAME = new RegExp(`^${TOKEN}$`)

/** The headers that the gateway writes itself for each message, beside those of one connection. */
const OF_ONE_MESSAGE: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type'])

/** The fault of a name of a header or of a query parameter; undefined: none. */
export function tokenFault(name: string): Fault | undefined {
  if (NAME.test(name)) return undefined
  return { wrong: 'is no name that can be sent', cure: 'Use letters, digits, "-" and "_"; no spaces, no colon.' }
}

/** The fault of the name of a header that a file sets; undefined: none. */
export function headerNameFault(name: string): Fault | undefined {
  const known = name.toLowerCase()
  if (!HOP_BY_HOP.has(known) && !OF_ONE_MESSAGE.has(known)) return tokenFault(name)
  return { wrong: 'is a header that the gateway writes itself', cure: 'Take it out.' }
}
