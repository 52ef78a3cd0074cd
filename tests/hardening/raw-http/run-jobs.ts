import { inPool } from '../pool.ts'
import type { HardeningFailure } from '../suite.ts'
import { drive } from './drive.ts'
import { judgeRaw, type RawFault } from './judge-raw.ts'
import type { RawJob } from './raw-jobs.ts'
import { type Reading, readRequests } from './read-requests.ts'
import { type RawArrival, type TaggedUpstream, tagOf } from './tag.ts'

/** What the jobs of a run have come to. */
export interface JobsOutcome {
  readonly failures: readonly HardeningFailure[]
  readonly faults: Readonly<Record<RawFault, number>>
  readonly done: number
  readonly forwarded: number
}

/** Where and how patiently jobs are run. */
export interface RunJobsOptions {
  readonly port: number
  readonly upstream: TaggedUpstream
  /** Within so long happens whatever happens at once. */
  readonly atOnceMs: number
  /** Within so long the server's own timers have run out. */
  readonly timerMs: number
  readonly onDone: (done: number) => void
}

const AT_ONCE = 64

/** Runs jobs, and judges each by what a strict reader makes of it. */
export async function runJobs(jobs: Iterable<RawJob>, options: RunJobsOptions): Promise<JobsOutcome> {
  const { port, upstream, atOnceMs, timerMs, onDone } = options
  const failures: HardeningFailure[] = []
  const faults: Record<RawFault, number> = {
    'extra upstream requests': 0,
    '5xx': 0,
    hangs: 0,
    unanswered: 0,
    'not forwarded': 0,
  }
  let done = 0
  let forwarded = 0
  const untagged = new Set<string>()
  const ids = new Map<string, string>()
  const fail = (id: string, fault: RawFault, message: string): void => {
    faults[fault] += 1
    failures.push({ id, message: `${fault}: ${message}` })
  }
  const runOne = async (job: RawJob): Promise<void> => {
    const { id, number, parts, raw, isPatient } = job
    const reading = readingOf(job)
    ids.set(tagOf(number), id)
    const driven = await drive({ port, parts, reading, msMax: isPatient ? timerMs : atOnceMs, isPatient })
    const arrivals = upstream.take(tagOf(number))
    forwarded += arrivals.length
    for (const request of reading.requests) untagged.add(keyOf(request))
    const verdict = judgeRaw(reading, driven, arrivals)
    if (verdict !== undefined) fail(id, verdict.fault, `${verdict.message}; sent ${show(job.text)}`)
    else if (raw?.isOdd === true && arrivals.length < raw.mayForward.length) {
      fail(id, 'not forwarded', `${arrivals.length} came upstream; sent ${show(job.text)}`)
    }
    done += 1
    onDone(done)
  }
  // Those that wait for a timer wait beside the others.
  const patient: Promise<void>[] = []
  await inPool(jobs, AT_ONCE, async (job) => {
    if (job.isPatient) patient.push(runOne(job))
    else await runOne(job)
  })
  await Promise.all(patient)
  for (const [tag, arrivals] of upstream.leftOver()) {
    // A mutation may have spoilt all that tells whose it is: then somebody has to have sent just that.
    for (const arrival of arrivals.filter((one) => tag !== '' || !untagged.has(keyOf(one)))) {
      fail(ids.get(tag) ?? 'untagged', 'extra upstream requests', JSON.stringify(arrival))
    }
  }
  return { failures, faults, done, forwarded }
}

/** Of a hand-written case the hand knows better: what it does not let pass, no reading may. */
function readingOf({ text, raw }: RawJob): Reading {
  const reading = readRequests(text)
  if (raw === undefined) return reading
  const isAllowed = (target: string): boolean => raw.mayForward.some((name) => target.includes(`n=${name}`))
  const requests = reading.requests.map((request) =>
    isAllowed(request.target) ? request : { ...request, isForwardable: false },
  )
  return { ...reading, requests }
}

function keyOf({ method, target, body }: RawArrival): string {
  return `${method} ${target.startsWith('/v1/') ? target : `/v1${target}`} ${body}`
}

function show(text: string): string {
  return JSON.stringify(text.length > 700 ? `${text.slice(0, 350)} … ${text.slice(-350)}` : text)
}
