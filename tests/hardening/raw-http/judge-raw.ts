import type { Driven } from './drive.ts'
import type { Reading, ReadRequest } from './read-requests.ts'
import type { RawArrival } from './tag.ts'

/** What is wrong with a connection, by the figure that it counts for. */
export type RawFault = 'extra upstream requests' | '5xx' | 'hangs' | 'unanswered' | 'not forwarded'

/** A fault with what was seen. */
export interface RawVerdict {
  readonly fault: RawFault
  readonly message: string
}

/** Judges a connection by what a strict reader makes of what was sent; undefined: nothing is wrong. */
export function judgeRaw(reading: Reading, driven: Driven, arrivals: readonly RawArrival[]): RawVerdict | undefined {
  const extra = extraOf(reading.requests, arrivals)
  if (extra !== undefined)
    return { fault: 'extra upstream requests', message: `upstream came ${JSON.stringify(extra)}` }
  const { statuses, rest, isHung } = driven
  const failed = statuses.find((status) => status >= 500)
  if (failed !== undefined) return { fault: '5xx', message: `it was answered ${failed}` }
  if (isHung)
    return { fault: 'hangs', message: `${reading.end}, it was answered [${statuses.join(', ')}] and then left to wait` }
  return judgeAnswers(reading, statuses, rest)
}

function judgeAnswers({ requests, end }: Reading, statuses: readonly number[], rest: string): RawVerdict | undefined {
  const answersMax = requests.length + (end === 'malformed' || end === 'unfinished' ? 1 : 0)
  if (rest !== '')
    return { fault: 'unanswered', message: `behind the answers came ${JSON.stringify(rest.slice(0, 200))}` }
  if (statuses.length > answersMax) {
    return {
      fault: 'extra upstream requests',
      message: `it was answered [${statuses.join(', ')}], which is more than it asked for`,
    }
  }
  if (end !== 'malformed') return undefined
  const last = statuses.at(-1)
  if (last !== undefined && last >= 400) return undefined
  return { fault: 'unanswered', message: `it is malformed, and was told so by nothing but [${statuses.join(', ')}]` }
}

/** The first arrival that is none of the requests, each of which may come once, in their order. */
function extraOf(requests: readonly ReadRequest[], arrivals: readonly RawArrival[]): RawArrival | undefined {
  let next = 0
  for (const arrival of arrivals) {
    const at = requests.findIndex((request, index) => index >= next && isSame(request, arrival))
    if (at === -1) return arrival
    next = at + 1
  }
  return undefined
}

function isSame({ method, target, body, isForwardable }: ReadRequest, arrival: RawArrival): boolean {
  const onward = target.startsWith('/v1/') ? target : `/v1${target}`
  return isForwardable && method === arrival.method && onward === arrival.target && body === arrival.body
}
