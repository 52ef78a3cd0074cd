import { describe, expect, test } from 'bun:test'
import type { Settings } from '../../../../src/config/settings.ts'
import type { Exchange } from '../../../../src/exchange/exchange.ts'
import { type ExchangeClocks, startClocks } from '../../../../src/routing/attempts/exchange-clocks.ts'
import type { Deployment } from '../../../../src/routing/targets/deployment.ts'
import type { Route } from '../../../../src/routing/targets/router.ts'
import type { Deadlines } from '../../../../src/timing/deadlines.ts'
import { RESILIENCE, settingsOf, upstreamOf } from '../targets/router-parts.ts'
import { scriptAttempts } from './scripted-attempts.ts'

const NONE = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }
const FOREVER = Number.POSITIVE_INFINITY

interface Watched {
  /** Begins a child of the exchange whose model has such a limit, at the first deployment. */
  readonly limitChild: (totalMs: number | undefined) => Exchange
  readonly exchange: Exchange
  readonly clocks: ExchangeClocks | undefined
  readonly deployments: readonly Deployment[]
  /** The limits that run now, in ms, rounded to seconds: some of the time is over when a clock starts. */
  readonly running: () => readonly number[]
  readonly expire: () => void
  /** When a deployment is due, in ms after the request's arrival. */
  readonly dueAfterMs: (deployment: number) => number
}

/** Limits the time of a request of the model `m`; the environment's limit is 60 s. */
function limit(
  modelMs: number | undefined,
  upstreamsMs: readonly (number | undefined)[],
  changes: Partial<Settings> = {},
  headers: Readonly<Record<string, string>> = {},
): Watched {
  const { exchange, deployments: plain } = scriptAttempts({ headers })
  const running = new Map<object, { readonly ms: number; readonly onExpire: () => void }>()
  const deadlines: Deadlines = {
    start(ms, onExpire) {
      const deadline = { touch() {}, suspend() {}, clear: () => void running.delete(deadline) }
      running.set(deadline, { ms: Math.round(ms / 1000) * 1000, onExpire })
      return deadline
    },
  }
  exchange.total = deadlines.start(60_000, () => undefined)
  const deployments = upstreamsMs.map((totalMs, index): Deployment => {
    const deployment = plain[index]
    if (deployment === undefined) throw new Error('there are two deployments')
    return { ...deployment, upstream: upstreamOf(deployment.upstream.name, { timeouts: { ...NONE, totalMs } }) }
  })
  const resilience = { ...RESILIENCE, timeouts: { ...NONE, totalMs: modelMs } }
  const route: Route = { model: undefined, resilience, deployments, order: () => deployments }
  const timeouts = { streamIdleMs: 0, totalMs: 60_000 }
  const clocks = startClocks(exchange, route, settingsOf(changes), { deadlines, timeouts })
  const limitChild = (totalMs: number | undefined): Exchange => {
    const child = exchange.child({})
    const own = { ...route, resilience: { ...RESILIENCE, timeouts: { ...NONE, totalMs } } }
    startClocks(child, own, settingsOf(changes), { deadlines, timeouts })?.onDeployment(deployments[0] as Deployment)
    return child
  }
  return {
    exchange,
    clocks,
    limitChild,
    deployments,
    running: () => [...running.values()].map(({ ms }) => ms),
    expire: () => [...running.values()].at(-1)?.onExpire(),
    dueAfterMs: (n) => Math.round((clocks?.dueAt(deployments[n] as Deployment) ?? FOREVER) - exchange.startedAt),
  }
}

describe('the limit on the whole', () => {
  test('is everybody’s again for a child behind one that had its own', () => {
    const { limitChild, running } = limit(undefined, [undefined])
    const first = limitChild(5000)
    expect(running()).toEqual([5000])
    first.end({ kind: 'complete' })
    expect(running()).toEqual([])
    limitChild(undefined)
    expect(running()).toEqual([60_000])
  })

  test('is the model’s, else the upstream’s that is asked, else the environment’s; 0 is none', () => {
    const cases = [
      { modelMs: 5000, upstreamsMs: [9000, 0], first: [5000], second: [5000], due: [5000, 5000] },
      { modelMs: 0, upstreamsMs: [9000, 8000], first: [], second: [], due: [FOREVER, FOREVER] },
      { modelMs: undefined, upstreamsMs: [9000, 8000], first: [9000], second: [8000], due: [9000, 8000] },
      { modelMs: undefined, upstreamsMs: [0, undefined], first: [], second: [60_000], due: [FOREVER, 60_000] },
      {
        modelMs: undefined,
        upstreamsMs: [undefined, 90_000],
        first: [60_000],
        second: [90_000],
        due: [60_000, 90_000],
      },
    ]
    for (const { modelMs, upstreamsMs, first, second, due } of cases) {
      const { clocks, deployments, running, dueAfterMs, exchange } = limit(modelMs, upstreamsMs)
      clocks?.onDeployment(deployments[0] as Deployment)
      expect(running()).toEqual(first)
      clocks?.onDeployment(deployments[1] as Deployment)
      expect(running()).toEqual(second)
      expect([dueAfterMs(0), dueAfterMs(1)]).toEqual(due)
      exchange.end({ kind: 'complete' }, 0)
      expect(running()).toEqual([])
    }
  })

  test('ends the exchange as the upstream’s timeout', () => {
    const { clocks, deployments, expire, exchange } = limit(5000, [undefined])
    clocks?.onDeployment(deployments[0] as Deployment)
    expire()
    expect(exchange.abort.signal.reason).toMatchObject({ kind: 'upstream_timeout' })
  })
})

describe('the client’s own', () => {
  const TOLD = { 'x-stainless-timeout': '4' }

  test('runs beside it until the answer is on its way, and ends the exchange as what it is', () => {
    const { clocks, running, expire, exchange, dueAfterMs } = limit(undefined, [undefined], {}, TOLD)
    expect(running()).toEqual([60_000, 4000])
    expect(dueAfterMs(0)).toBe(3800)
    expire()
    expect(exchange.abort.signal.reason).toMatchObject({ kind: 'client_deadline' })
    clocks?.onDelivered()
    expect(running()).toEqual([60_000])
  })

  test('does not lengthen the limit on the whole', () => {
    expect(limit(2000, [undefined], {}, TOLD).dueAfterMs(0)).toBe(2000)
  })

  test('ends with the exchange', () => {
    const { exchange, running } = limit(undefined, [undefined], {}, TOLD)
    exchange.end({ kind: 'complete' }, 0)
    expect(running()).toEqual([])
  })

  test('is not heard where the file says so, nor is anything without a file', () => {
    expect(limit(undefined, [undefined], { clientDeadline: false }, TOLD).running()).toEqual([60_000])
    const without = limit(5000, [5000], { hasFile: false }, TOLD)
    expect(without.clocks).toBeUndefined()
    expect([without.running(), without.dueAfterMs(0)]).toEqual([[60_000], FOREVER])
  })
})
