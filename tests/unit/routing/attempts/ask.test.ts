import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { RESILIENCE, upstreamOf } from '../targets/router-parts.ts'
import { callFor, endless, type ScriptedAttempts, scriptAttempts, settled, warmUp } from './scripted-attempts.ts'

const GONE = new ApiError('client_closed')
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
const ALONE = { settings: { models: [], upstreams: [upstreamOf('a')] } }
const LIMITED = { concurrency: { max: 1, queue: 1, queueMs: 1000 } }

/** Counts that must be as before when all is over. */
function leftOvers({ deployments, clock, retryBudget }: ScriptedAttempts): unknown {
  const release = retryBudget.tryTake(100)
  release?.()
  return {
    inFlight: deployments.map(({ health }) => health.inFlight()),
    places: deployments.map(({ limiter }) => [limiter.inUse(), limiter.queued()]),
    clocks: clock.running(),
    isBudgetFull: release !== undefined,
  }
}
const nothing = (deployments: number): unknown => ({
  inFlight: Array(deployments).fill(0),
  places: Array(deployments).fill([0, 0]),
  clocks: 0,
  isBudgetFull: true,
})

describe('the next attempt', () => {
  test('is at the next deployment, at once; what the refusal would still send is cancelled, its place given back', async () => {
    const attempts = scriptAttempts({ settings: { upstreams: [upstreamOf('a', LIMITED), upstreamOf('b')] } })
    const asking = attempts.ask()
    const { response, isCancelled } = endless(503)
    attempts.nth(1).answer(response)
    await settled()
    expect([isCancelled(), attempts.deployments[0]?.limiter.inUse()]).toEqual([true, 0])
    expect(attempts.sent.map(({ deployment }) => deployment)).toEqual(['a.example', 'b.example'])
    attempts.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(attempts.deployments[1]?.health.inFlight()).toBe(1)
    attempts.exchange.end({ kind: 'complete' }, 2)
    expect(leftOvers(attempts)).toEqual(nothing(2))
  })

  test('is at the next deployment where no port was left to call the first one from, whose breaker stays closed', async () => {
    const breaker = { failures: 1, rate: 0, minimum: 1, windowMs: 1000, openMs: 60_000, openMaxMs: 60_000 }
    const attempts = scriptAttempts({ settings: { upstreams: [upstreamOf('a', { breaker }), upstreamOf('b')] } })
    const asking = attempts.ask()
    const noPort = Object.assign(new Error('none'), { code: 'EADDRNOTAVAIL' })
    attempts.nth(1).fail(new ApiError('out_of_connections', { cause: noPort }))
    await settled()
    attempts.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(attempts.deployments.map(({ health }) => health.isAvailable())).toEqual([true, true])
  })

  test('at the same deployment comes after a back-off with full jitter, and waits for Retry-After', async () => {
    const attempts = scriptAttempts(ALONE)
    const asking = attempts.ask()
    attempts.nth(1).fail(REFUSED)
    await settled()
    await attempts.pass(124)
    expect(attempts.sent).toHaveLength(1)
    await attempts.pass(1)
    expect(attempts.sent).toHaveLength(2)
    attempts.nth(2).answer(new Response('', { status: 429, headers: { 'retry-after-ms': '2000' } }))
    await settled()
    await attempts.pass(2124)
    expect(attempts.sent).toHaveLength(2)
    await attempts.pass(1)
    attempts.nth(3).answer(new Response('ok'))
    await asking
    expect(attempts.exchange).toMatchObject({
      attempts: 3,
      shouldRetry: undefined,
      tries: [
        { target: 'a', status: undefined, why: 'connect' },
        { target: 'a', status: 429 },
        { target: 'a', status: 200 },
      ],
    })
    attempts.exchange.end({ kind: 'complete' }, 2)
    expect(leftOvers(attempts)).toEqual(nothing(1))
  })

  test('is not made where the client leaves during the back-off: its reason is the end, and the budget is whole', async () => {
    const attempts = scriptAttempts(ALONE)
    const asking = attempts.ask()
    attempts.nth(1).answer(new Response('', { status: 503 }))
    await settled()
    attempts.exchange.abort.abort(GONE)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(GONE)
    await attempts.pass(60_000)
    expect(attempts.sent).toHaveLength(1)
    attempts.exchange.end({ kind: 'cancelled' }, 0)
    expect(leftOvers(attempts)).toEqual(nothing(1))
  })

  test('is not made without budget: the refusal is the answer', async () => {
    const attempts = scriptAttempts(ALONE)
    attempts.retryBudget.tryTake(100)
    const asking = attempts.ask()
    attempts.nth(1).answer(new Response('', { status: 503 }))
    expect((await asking).answer.status).toBe(503)
    expect(attempts.exchange.shouldRetry).toBe(false)
  })

  test('is not made at a deployment whose usual time does not fit into what is left', async () => {
    for (const [leftMs, isAsked] of [
      [499, false],
      [501, true],
    ] as const) {
      const attempts = scriptAttempts()
      warmUp(attempts.deployments[1], 500)
      // The first deployment is not to be asked again instead.
      attempts.retryBudget.tryTake(100)
      const asking = attempts.ask({ dueAt: () => 1_000_000 + leftMs })
      attempts.nth(1).answer(new Response('', { status: 503 }))
      await settled()
      expect(attempts.sent).toHaveLength(isAsked ? 2 : 1)
      attempts.sent[1]?.answer(new Response('ok'))
      expect((await asking).answer.status).toBe(isAsked ? 200 : 503)
    }
  })

  test('is not made at a deployment that another call probes', async () => {
    const attempts = scriptAttempts()
    const health = attempts.deployments[1]?.health
    for (let call = 0; call < 3; call += 1) health?.begin().failed()
    attempts.clock.advance(1000)
    const asking = attempts.ask()
    health?.begin()
    attempts.nth(1).answer(new Response('', { status: 503 }))
    await settled()
    expect(attempts.sent.map(({ deployment }) => deployment)).toEqual(['a.example'])
    await attempts.pass(125)
    attempts.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('a/m')
  })
})

describe('a call that can’t be made', () => {
  test('ends the request where it is the first: nothing is sent, nothing is held', async () => {
    const attempts = scriptAttempts()
    const error = new ApiError('incorrect_api_key')
    const asking = attempts.ask({
      callFor() {
        throw error
      },
    })
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(error)
    attempts.exchange.end({ kind: 'complete' }, 0)
    expect([attempts.sent.length, leftOvers(attempts)]).toEqual([0, nothing(2)])
  })

  test('ends the request where it is a later one, too', async () => {
    const attempts = scriptAttempts()
    const error = new ApiError('incorrect_api_key')
    const asking = attempts.ask({
      callFor(deployment, abort) {
        if (deployment.upstream.name === 'b') throw error
        return callFor(deployment, abort)
      },
    })
    attempts.nth(1).answer(new Response('', { status: 503 }))
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(error)
    attempts.exchange.end({ kind: 'complete' }, 0)
    expect(leftOvers(attempts)).toEqual(nothing(2))
  })
})

describe('a deployment without a place', () => {
  test('is left for the next one; that is no attempt, and no failure of the deployment’s', async () => {
    const attempts = scriptAttempts({
      settings: { upstreams: [upstreamOf('a', { concurrency: { max: 1, queue: 0, queueMs: 1000 } }), upstreamOf('b')] },
    })
    const [first] = attempts.deployments
    const { signal } = new AbortController()
    const order = () => attempts.deployments
    const route = { model: undefined, resilience: RESILIENCE, deployments: attempts.deployments, order }
    const leave = first?.limiter.enter(signal)
    const asking = attempts.ask({ route })
    await settled()
    attempts.nth(1).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(attempts.exchange).toMatchObject({ attempts: 1, tries: [{ why: 'upstream_busy' }, { status: 200 }] })
    expect(first?.health.state()).toBe('closed')
    if (typeof leave === 'function') leave()
    attempts.exchange.end({ kind: 'complete' }, 0)
    expect(leftOvers(attempts)).toEqual(nothing(2))
  })

  test('is waited for where it is the only one; whoever leaves meanwhile is forgotten, and counts for nothing', async () => {
    const attempts = scriptAttempts({ settings: { models: [], upstreams: [upstreamOf('a', LIMITED)] } })
    const [first] = attempts.deployments
    const leave = first?.limiter.enter(new AbortController().signal)
    const asking = attempts.ask()
    expect(first?.limiter.queued()).toBe(1)
    attempts.exchange.abort.abort(GONE)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(GONE)
    expect(attempts.exchange).toMatchObject({ attempts: 0, shouldRetry: undefined, tries: [{ why: 'client_closed' }] })
    if (typeof leave === 'function') leave()
    attempts.exchange.end({ kind: 'cancelled' }, 0)
    expect(leftOvers(attempts)).toEqual(nothing(1))
  })
})

describe('x-should-retry', () => {
  test.each([
    ['attempts are spent', {}, {}, false],
    ['an SDK retries', { headers: { 'x-stainless-retry-count': '1' } }, {}, false],
    [
      'nothing is retried here',
      { model: { resilience: { ...RESILIENCE, retry: { ...RESILIENCE.retry, attempts: 1 } } } },
      {},
      undefined,
    ],
    ['the body can’t be sent again', {}, { isReplayable: false }, undefined],
  ] as const)('is said where %s', async (_name, options, changes, isSaid) => {
    const attempts = scriptAttempts(options)
    const asking = attempts.ask(changes)
    for (let call = 1; call <= 3; call += 1) {
      attempts.sent[call - 1]?.answer(new Response('', { status: 503 }))
      await settled()
      await attempts.pass(8000)
    }
    expect((await asking).answer.status).toBe(503)
    expect(attempts.exchange.shouldRetry).toBe(isSaid)
  })
})
