import { openRawClient } from '../../helpers/raw-client.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import type { HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { CASES, countJobs, rawJobs } from './raw-jobs.ts'
import { type JobsOutcome, runJobs } from './run-jobs.ts'
import { startTaggedUpstream } from './tag.ts'
import { startWrongReader } from './wrong-reader.ts'

/** What happens at once has happened by then, on a busy machine too; what waits for a timer has not. */
const AT_ONCE_MS = 9000
const UPLOAD_MS = 15_000
/** The longest of the server's timers for a request's bytes, and as much again for a busy machine. */
const TIMER_MS = 30_000
const REPORT_EVERY = 1000

async function run(options: HardeningRun): Promise<HardeningResult> {
  const upstream = await startTaggedUpstream()
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${upstream.upstream.url}/v1`,
      UPLOAD_IDLE_TIMEOUT_MS: String(UPLOAD_MS),
    },
  })
  try {
    const total = countJobs(options).toLocaleString('en')
    const outcome = await runJobs(rawJobs(options), {
      ...{ port: gateway.port, upstream, atOnceMs: AT_ONCE_MS, timerMs: TIMER_MS },
      onDone(done) {
        if (done % REPORT_EVERY === 0) options.report(`${done.toLocaleString('en')} of ${total}`)
      },
    })
    const isAlive = gateway.child?.exitCode == null && (await isServing(gateway.port))
    const exits = isAlive ? [] : [{ id: 'alive', message: `the server is gone, exit code ${gateway.child?.exitCode}` }]
    return {
      cases: outcome.done,
      failures: [...outcome.failures, ...exits],
      figures: figuresOf(outcome, exits.length),
    }
  } finally {
    await gateway.stop()
    await upstream.upstream.close()
  }
}

function figuresOf({ faults, forwarded }: JobsOutcome, exits: number): HardeningResult['figures'] {
  return {
    'hand-written': CASES.length,
    'extra upstream requests': faults['extra upstream requests'],
    '5xx': faults['5xx'],
    'hangs over the timer': faults.hangs,
    exits,
    'without a clear answer': faults.unanswered,
    'forwarded as sent': forwarded,
  }
}

async function isServing(port: number): Promise<boolean> {
  const client = await openRawClient(port).catch(() => undefined)
  client?.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n')
  const response = await client?.response().catch(() => undefined)
  client?.leave()
  return response?.status === 200
}

/** The stand-in forwards what is smuggled, fails on some lengths and waits where it should refuse: each has to be seen. */
async function prove(): Promise<void> {
  const upstream = await startTaggedUpstream()
  const wrong = await startWrongReader(upstream.upstream.url)
  try {
    const groups = new Set(['lengths-and-coding', 'lengths'])
    const options = { seed: 0, isShort: true, only: undefined, report: () => undefined }
    const jobs = [...rawJobs(options)].filter(
      ({ id, raw }) => id.endsWith('/whole') && groups.has(raw?.id.split('.')[0] ?? ''),
    )
    const atOnceMs = 400
    const { faults } = await runJobs(jobs, {
      ...{ port: wrong.port, upstream, atOnceMs, timerMs: atOnceMs },
      onDone: () => undefined,
    })
    for (const fault of ['extra upstream requests', '5xx', 'hangs'] as const) {
      if (faults[fault] === 0) throw new Error(`The stand-in has ${fault}, and none was seen.`)
    }
  } finally {
    wrong.stop()
    await upstream.upstream.close()
  }
}

/** Promise 1: hand-written raw requests × packet cuts, and seeded mutations. */
export const suite: HardeningSuite = {
  number: 1,
  name: 'raw-http',
  promise:
    'Malformed HTTP/1.1 stops here: what is forwarded is what a strict reader takes for requests, and all else is refused at once',
  prove,
  run,
}
