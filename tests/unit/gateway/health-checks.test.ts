import { describe, expect, test } from 'bun:test'
import type { UpstreamSettings } from '../../../src/config/sections/upstreams/upstream.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { createHealthChecks, type HealthChecks } from '../../../src/gateway/health-checks.ts'
import { createSnapshot, type Snapshot } from '../../../src/routing/snapshot.ts'
import type { UpstreamCall } from '../../../src/upstream/send.ts'
import { keysOf, pairsOf } from '../../helpers/secrets.ts'
import { BREAKER, depsOf, type FakeClock, fakeClock, settingsOf, upstreamOf } from '../routing/targets/router-parts.ts'

const CHECK = { targets: ['/v1/models'], everyMs: 30_000, timeoutMs: 5_000 }

interface ChecksUnderTest {
  readonly clock: FakeClock
  readonly checks: HealthChecks
  readonly snapshot: Snapshot
  readonly calls: UpstreamCall[]
  readonly warnings: unknown[][]
  /** What the next calls are answered with; a promise that never settles where there is none left. */
  readonly answers: (Response | Error)[]
  readonly reload: (settings: Settings) => Snapshot
  /** Moves the clock and lets what that sets off end. */
  readonly pass: (ms: number) => Promise<void>
}

function startChecks(changes: Partial<UpstreamSettings> = {}): ChecksUnderTest {
  const clock = fakeClock()
  const calls: UpstreamCall[] = []
  const warnings: unknown[][] = []
  const answers: (Response | Error)[] = []
  const checks = createHealthChecks({
    now: clock.now,
    deadlines: clock.deadlines,
    userAgent: 'NexCode/test',
    log: { warn: (...words: unknown[]) => void warnings.push(words) },
    send(call) {
      calls.push(call)
      const answer = answers.shift()
      if (answer instanceof Response) return Promise.resolve(answer)
      if (answer !== undefined) return Promise.reject(answer)
      return new Promise((_resolve, reject) =>
        call.abort.signal.addEventListener('abort', () => reject(call.abort.signal.reason)),
      )
    },
  })
  let snapshot = createSnapshot(
    settingsOf({ upstreams: [upstreamOf('one', { check: CHECK, ...changes })] }),
    depsOf(clock),
  )
  return {
    clock,
    checks,
    snapshot,
    calls,
    warnings,
    answers,
    reload(settings) {
      snapshot = createSnapshot(settings, depsOf(clock), snapshot)
      checks.watch(snapshot)
      return snapshot
    },
    async pass(ms) {
      clock.advance(ms)
      await settled()
    },
  }
}

/** Lets the promises that are due run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

function healthOf({ router }: Snapshot) {
  const [deployment] = router.deployments()
  if (deployment === undefined) throw new Error('there is no deployment')
  return deployment.health
}

describe('each deployment of an upstream with a check', () => {
  test('is asked by a GET at its path, with its key, headers and query', async () => {
    const { checks, snapshot, calls } = startChecks({
      keys: keysOf('sk-1', 'sk-2'),
      keyHeader: 'api-key',
      headers: pairsOf({ 'x-team': 'red' }),
      query: pairsOf({ 'api-version': '1' }),
    })
    checks.watch(snapshot)
    expect(calls.map(({ method, url, headers }) => [method, url.href, headers.get('api-key')])).toEqual([
      ['GET', 'https://one.example/v1/models?api-version=1', 'sk-1'],
      ['GET', 'https://one.example/v1/models?api-version=1', 'sk-2'],
    ])
    expect(calls[0]?.headers.get('x-team')).toBe('red')
    expect(calls[0]?.headers.get('user-agent')).toBe('NexCode/test')
    checks.stop()
  })

  test('is asked again when its time has come, and not before', async () => {
    const { checks, snapshot, calls, answers, pass } = startChecks()
    answers.push(new Response('[]'), new Response('[]'))
    checks.watch(snapshot)
    await settled()
    for (let second = 0; second < 29; second += 1) await pass(1000)
    expect(calls).toHaveLength(1)
    for (let second = 0; second < 2; second += 1) await pass(1000)
    expect(calls).toHaveLength(2)
    checks.stop()
  })

  test('goes nowhere but there: an upstream without a check is not asked, and no clock runs', () => {
    const { checks, snapshot, calls, clock } = startChecks({ check: undefined })
    checks.watch(snapshot)
    expect([calls.length, clock.running()]).toEqual([0, 0])
  })
})

describe('what a check finds', () => {
  test('counts: failures open the breaker, none is asked while it is open, and the check is the probe', async () => {
    const { checks, snapshot, calls, answers, pass } = startChecks({
      breaker: { ...BREAKER, failures: 1, openMs: 20_000, openMaxMs: 20_000 },
    })
    answers.push(new Response('', { status: 500 }), new Response('[]'))
    checks.watch(snapshot)
    await settled()
    const health = healthOf(snapshot)
    expect(health.state()).toBe('open')
    for (let second = 0; second < 19; second += 1) await pass(1000)
    expect(calls).toHaveLength(1)
    await pass(1000)
    expect(calls).toHaveLength(2)
    expect(health.state()).toBe('closed')
    checks.stop()
  })

  test('is the probe as well where callers opened the breaker between two checks', async () => {
    const { checks, snapshot, calls, answers, pass } = startChecks({
      breaker: { ...BREAKER, failures: 1, openMs: 4000, openMaxMs: 4000 },
    })
    answers.push(new Response('[]'), new Response('[]'))
    checks.watch(snapshot)
    await pass(1000)
    const health = healthOf(snapshot)
    health.begin().failed()
    for (let half = 0; half < 8; half += 1) await pass(500)
    expect([calls.length, health.state()]).toEqual([2, 'closed'])
    checks.stop()
  })

  test('is a success below 500, whatever it says, and says nothing about the times of calls', async () => {
    const { checks, snapshot, answers, pass } = startChecks({ breaker: { ...BREAKER, failures: 1 } })
    answers.push(new Response('no', { status: 401 }), new Response('[]'))
    checks.watch(snapshot)
    for (let second = 0; second < 31; second += 1) await pass(1000)
    expect(answers).toHaveLength(0)
    const health = healthOf(snapshot)
    expect([health.state(), health.averageMs(), health.inFlight()]).toEqual(['closed', undefined, 0])
    checks.stop()
  })

  test('is a failure where no answer comes in time, or none at all', async () => {
    for (const answer of [undefined, new Error('refused')]) {
      const { checks, snapshot, calls, answers, pass, warnings } = startChecks({ breaker: { ...BREAKER, failures: 1 } })
      if (answer !== undefined) answers.push(answer)
      checks.watch(snapshot)
      await pass(CHECK.timeoutMs)
      expect(calls).toHaveLength(1)
      expect(healthOf(snapshot).inFlight()).toBe(0)
      expect(warnings.map(([, words]) => words)).toEqual(['health check failed'])
      checks.stop()
    }
  })

  test('is logged where it changes, without the key', async () => {
    const { checks, snapshot, answers, pass, warnings } = startChecks()
    const bad = () => new Response('sk-one', { status: 503 })
    answers.push(new Response('[]'), bad(), bad(), new Response('[]'))
    checks.watch(snapshot)
    for (let second = 0; second < 95; second += 1) await pass(1000)
    expect(warnings).toEqual([
      [{ target: 'one', status: 503 }, 'health check failed'],
      [{ target: 'one', status: 200 }, 'health check passed again'],
    ])
    checks.stop()
  })

  test('ends with a body that is too long to be read', async () => {
    const { checks, snapshot, answers } = startChecks()
    const cancelled = Promise.withResolvers<void>()
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
      cancel: () => cancelled.resolve(),
    })
    answers.push(new Response(endless))
    checks.watch(snapshot)
    await cancelled.promise
    await settled()
    expect(healthOf(snapshot).inFlight()).toBe(0)
    checks.stop()
  })
})

describe('checks', () => {
  test('end when they are stopped: the call under way is ended, counts for nothing, and no clock runs', async () => {
    const { checks, snapshot, calls, clock, warnings, reload } = startChecks({ breaker: { ...BREAKER, failures: 1 } })
    checks.watch(snapshot)
    checks.stop()
    await settled()
    expect(calls[0]?.abort.signal.aborted).toBe(true)
    expect([healthOf(snapshot).state(), healthOf(snapshot).inFlight(), clock.running(), warnings.length]).toEqual([
      'closed',
      0,
      0,
      0,
    ])
    reload(snapshot.settings)
    expect([calls.length, clock.running()]).toEqual([1, 0])
  })

  test('go by new settings after a reload, which asks nobody anew before it is due', async () => {
    const { checks, snapshot, calls, answers, pass, reload } = startChecks()
    answers.push(new Response('[]'), new Response('[]'))
    checks.watch(snapshot)
    await settled()
    for (let time = 0; time < 10; time += 1) reload(snapshot.settings)
    expect(calls).toHaveLength(1)
    reload(settingsOf({ upstreams: [upstreamOf('two', { check: CHECK })] }))
    expect(calls.map(({ url }) => url.hostname)).toEqual(['one.example', 'two.example'])
    await pass(0)
    checks.stop()
  })
})
