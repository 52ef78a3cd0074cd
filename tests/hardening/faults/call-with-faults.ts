import type { LogLine } from '../../helpers/log-lines.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningRun } from '../suite.ts'
import { callWithFault, healthyCallMs, safe } from './fault-call.ts'
import type { FaultCase } from './fault-cases.ts'
import type { FaultyServer } from './faulty-server.ts'
import { beyondMs, type FaultFacts, type FaultFault, judgeFault } from './judge-fault.ts'

/** The gateway's timers for the first byte and for silence. */
export const TIMER_MS = 1500
const AT_ONCE = 48
const REPORT_EVERY = 200

/** What the calls go to. */
export interface Subject {
  readonly port: number
  readonly lines: readonly LogLine[]
}

/** What the calls have come to. */
export interface FaultOutcome {
  readonly failures: readonly HardeningFailure[]
  readonly faults: Readonly<Record<FaultFault, number>>
  /** The latest end after its time. */
  readonly beyondMs: number
  readonly baselineMs: number
}

/** Makes the calls of all cases, and judges how each ended. */
export async function callWithFaults(
  cases: readonly FaultCase[],
  subject: Subject,
  server: FaultyServer,
  { hungMs, report }: { readonly hungMs: number; readonly report: HardeningRun['report'] },
): Promise<FaultOutcome> {
  const failures: HardeningFailure[] = []
  const faults: Record<FaultFault, number> = { hung: 0, doubled: 0, 'out of type': 0, late: 0 }
  const baseline = watchBaseline(subject.port)
  const find = createLineFinder(subject)
  let latest = Number.NEGATIVE_INFINITY
  let done = 0
  await inPool(cases, AT_ONCE, async (one) => {
    const startedAt = performance.now()
    const end = await callWithFault(one, subject.port, hungMs)
    const lines = await find(one, end.isHung ? 0 : hungMs)
    const facts: FaultFacts = {
      ...{ end, lines, timerMs: TIMER_MS },
      arrivals: server.arrivals(one.id),
      struckAt: server.struckAt(one.id),
      baselineMs: await baseline.since(startedAt),
    }
    const verdict = judgeFault(one, facts)
    if (verdict !== undefined) {
      faults[verdict.fault] += 1
      failures.push({ id: one.id, message: `${verdict.fault}: ${verdict.message}` })
    }
    if (!end.isHung) latest = Math.max(latest, beyondMs(one, facts))
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
  })
  await baseline.stop()
  return { failures, faults, beyondMs: latest, baselineMs: await baseline.since(0) }
}

/** Finds the lines of the log about a call, each of which is looked at once. */
function createLineFinder({ lines }: Subject): (one: FaultCase, msMax: number) => Promise<readonly LogLine[]> {
  const byId = new Map<unknown, LogLine[]>()
  let read = 0
  const own = (id: string): readonly LogLine[] => {
    for (; read < lines.length; read += 1) {
      const line = lines[read]
      if (line?.['msg'] === 'exchange') byId.set(line['request_id'], [...(byId.get(line['request_id']) ?? []), line])
    }
    return byId.get(safe(id)) ?? []
  }
  // A call's record is written behind its last byte.
  return async ({ id }, msMax) => {
    for (const endsAt = performance.now() + msMax; own(id).length === 0 && performance.now() < endsAt; )
      await Bun.sleep(5)
    return own(id)
  }
}

/** Makes one healthy call after the other, so that each case is measured beside what the machine does with one that meets no fault. */
function watchBaseline(port: number) {
  const taken: { readonly at: number; readonly ms: number }[] = []
  let isOver = false
  let current: Promise<void> = Promise.resolve()
  const measure = async (): Promise<void> => {
    const ms = await healthyCallMs(port).catch(() => 0)
    taken.push({ at: performance.now(), ms })
  }
  const work = async (): Promise<void> => {
    while (!isOver) {
      current = measure()
      await current
      await Bun.sleep(10)
    }
  }
  const working = work()
  return {
    /** The slowest that ended since then, the one under way included. */
    async since(at: number): Promise<number> {
      await current
      return taken.reduce((most, one) => (one.at >= at ? Math.max(most, one.ms) : most), 0)
    },
    async stop(): Promise<void> {
      isOver = true
      await working
    },
  }
}
