import { type ReceivedRequest, type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { TAG } from './raw-case.ts'

/** A request that came to the upstream whole. */
export interface RawArrival {
  readonly method: string
  readonly target: string
  /** Latin-1. */
  readonly body: string
}

/** An upstream that tells which connection each whole request came from. */
export interface TaggedUpstream {
  readonly upstream: ScriptedUpstream
  /** The arrivals of a case; once they are taken they are forgotten. */
  readonly take: (tag: string) => readonly RawArrival[]
  /** Arrivals that nobody has taken, by their tag: they came when their case had been judged, or bear none (an empty one). */
  readonly leftOver: () => ReadonlyMap<string, readonly RawArrival[]>
}

/** Tells a tag from one that a mutation has damaged. */
const FORM = /(?<!\d)(0|[1-9]\d*)-([0-9a-f]{4})(?![0-9a-f])/g

/** The tag of a case by its number, with a check sum. */
export function tagOf(number: number): string {
  return `${number}-${checkOf(number)}`
}

/** A case's text with its tag in all places. */
export function tagged(text: string, number: number): string {
  return text.replaceAll(TAG, tagOf(number))
}

function checkOf(number: number): string {
  return (Math.imul(number + 1, 0x9e3779b1) >>> 16).toString(16).padStart(4, '0')
}

/** Starts it. Requests whose bodies never come to their end are none. */
export async function startTaggedUpstream(): Promise<TaggedUpstream> {
  const byTag = new Map<string, RawArrival[]>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    const body = Buffer.from(await request.body).toString('latin1')
    const tag = tagOfRequest(request) ?? ''
    const arrivals = byTag.get(tag)
    const arrival = { method: request.method, target: request.target, body }
    if (arrivals === undefined) byTag.set(tag, [arrival])
    else arrivals.push(arrival)
    connection.json({ ok: true })
  })
  return {
    upstream,
    take(tag) {
      const arrivals = byTag.get(tag) ?? []
      byTag.delete(tag)
      return arrivals
    },
    leftOver: () => byTag,
  }
}

function tagOfRequest({ target, headerLines }: ReceivedRequest): string | undefined {
  return findTag(target) ?? headerLines.map(([, value]) => findTag(value)).find((tag) => tag !== undefined)
}

function findTag(text: string): string | undefined {
  for (const [tag, number, check] of text.matchAll(FORM)) {
    if (checkOf(Number(number)) === check) return tag
  }
  return undefined
}
