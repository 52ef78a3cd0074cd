import type { Fault } from '../kind.ts'

/** A token of HTTP (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/

/** Of one connection or one message (RFC 9110 §7.6.1): what the gateway itself writes. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'content-type',
])

/** What is wrong with a name of a header or of a query parameter; undefined: nothing. */
export function tokenFault(name: string): Fault | undefined {
  if (TOKEN.test(name)) return undefined
  return { wrong: 'is no name that can be sent', cure: 'Use letters, digits, "-" and "_"; no spaces, no colon.' }
}

/** What is wrong with the name of a header that a file wants to set; undefined: nothing. */
export function headerNameFault(name: string): Fault | undefined {
  if (!OURS.has(name.toLowerCase())) return tokenFault(name)
  return { wrong: 'is a header that the gateway writes itself', cure: 'Take it out.' }
}
