import type { LogLine } from '../../helpers/log-lines.ts'
import type { FaultEnd } from './fault-call.ts'
import type { FaultCase } from './fault-cases.ts'
import { bodyOf } from './wire-answers.ts'

/** What is wrong with how a call ended, by the figure that it counts for. */
export type FaultFault = 'hung' | 'doubled' | 'out of type' | 'late'

/** Everything about how a call ended. */
export interface FaultFacts {
  readonly end: FaultEnd
  readonly arrivals: number
  readonly struckAt: number | undefined
  /** The slowest call without a fault meanwhile. */
  readonly baselineMs: number
  /** The gateway's timers. */
  readonly timerMs: number
  /** The lines of the log about it. */
  readonly lines: readonly LogLine[]
}

const BEYOND_MS = 250
const KINDS: ReadonlySet<unknown> = new Set(['upstream_unreachable', 'upstream_timeout', 'upstream_invalid_response'])

/** Judges how a call ended; undefined: as it should. */
export function judgeFault(
  one: FaultCase,
  facts: FaultFacts,
): { readonly fault: FaultFault; readonly message: string } | undefined {
  const { end, arrivals, lines } = facts
  if (end.isHung) return { fault: 'hung', message: 'it never ended' }
  if (arrivals !== 1 || lines.length !== 1) {
    return { fault: 'doubled', message: `it came upstream ${arrivals} times, and is in the log ${lines.length} times` }
  }
  const odd = oddEnd(one, end, lines[0])
  if (odd !== undefined) return { fault: 'out of type', message: odd }
  const beyond = beyondMs(one, facts)
  if (beyond <= BEYOND_MS) return undefined
  return { fault: 'late', message: `it ended ${Math.round(beyond)} ms after its time` }
}

/** How long after its time a call ended, without what the machine itself took: negative where it was earlier. */
export function beyondMs(
  { mayBeWhole, isSilent, takesMs }: FaultCase,
  { end, struckAt, timerMs, baselineMs }: FaultFacts,
): number {
  if (struckAt === undefined) return 0
  // What is only slow comes whole, where it is not given up: then it is over as soon as its last byte is there.
  const isWhole = mayBeWhole && end.response?.isComplete === true && end.response.status === 200
  const allowed = isSilent && !isWhole ? timerMs : takesMs
  return end.endedAt - struckAt - allowed - baselineMs
}

function oddEnd(one: FaultCase, { response }: FaultEnd, line: LogLine | undefined): string | undefined {
  const whole = Buffer.concat(bodyOf(one.shape, one.id))
  const isWhole =
    response?.status === 200 &&
    response.body.equals(whole) &&
    (response.isComplete || one.shape === 'stream-until-close')
  if (isWhole && !one.mayBeWhole && line?.['outcome'] === 'complete') return 'it came whole, which it can not have been'
  if (isWhole && line?.['outcome'] === 'complete') return undefined
  if (!one.mayFail)
    return `it should have come whole, and came as ${response?.status} with ${response?.body.byteLength} bytes, ${describe(line)}`
  if (!KINDS.has(line?.['error'])) return `the log has no error of ours for it: ${describe(line)}`
  if (response === undefined) return 'it ended without an answer'
  return response.status === 200
    ? oddBreak(one, response.isComplete, response.text(), whole)
    : oddError(response.status, response.text(), line)
}

/** An answer that has begun breaks off visibly; a chat stream with one event of ours as its last. */
function oddBreak({ shape }: FaultCase, isComplete: boolean, text: string, whole: Buffer): string | undefined {
  if (isComplete) return 'it was brought to a proper end, as if it were whole'
  const errors = text.match(/"error":\{/g)?.length ?? 0
  if (errors > 1) return `it has ${errors} error events`
  if (!shape.startsWith('stream')) return errors === 0 ? undefined : 'bytes of ours stand in its content'
  const [before = '', event] = text.split('data: {"error":')
  if (!whole.toString('utf8').startsWith(before)) return 'what came before the error is not what the upstream sent'
  // Within an event there is no place for another.
  if (event === undefined && (before === '' || before.endsWith('\n\n'))) return 'no event says that it broke off'
  return undefined
}

function oddError(status: number, text: string, line: LogLine | undefined): string | undefined {
  if (status !== 502 && status !== 504) return `it was answered ${status}`
  const { error } = JSON.parse(text) as { readonly error?: Readonly<Record<string, unknown>> }
  const keys = Object.keys(error ?? {})
    .sort()
    .join()
  if (keys !== 'code,message,param,type') return `its error has ${keys}`
  return error?.['code'] === line?.['error']
    ? undefined
    : `it was told ${error?.['code']}, and the log ${line?.['error']}`
}

function describe(line: LogLine | undefined): string {
  return JSON.stringify({ outcome: line?.['outcome'], error: line?.['error'], status: line?.['status'] })
}
