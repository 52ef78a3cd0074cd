import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { RESILIENCE, upstreamOf } from '../targets/scene.ts'
import { callFor, endless, type Scene, setScene, settled, warmUp } from './scene.ts'

const GONE = new ApiError('client_closed')
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
const ALONE = { settings: { models: [], upstreams: [upstreamOf('a')] } }
const LIMITED = { concurrency: { max: 1, queue: 1, queueMs: 1000 } }

/** What of a scene must be as before when all is over. */
function leftOvers({ deployments, clock, retryBudget }: Scene): unknown {
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
    const scene = setScene({ settings: { upstreams: [upstreamOf('a', LIMITED), upstreamOf('b')] } })
    const asking = scene.ask()
    const { response, isCancelled } = endless(503)
    scene.nth(1).answer(response)
    await settled()
    expect([isCancelled(), scene.deployments[0]?.limiter.inUse()]).toEqual([true, 0])
    expect(scene.sent.map(({ deployment }) => deployment)).toEqual(['a.example', 'b.example'])
    scene.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(scene.deployments[1]?.health.inFlight()).toBe(1)
    scene.exchange.end({ kind: 'complete' }, 2)
    expect(leftOvers(scene)).toEqual(nothing(2))
  })

  test('is at the next deployment where no port was left to call the first one from, whose breaker stays closed', async () => {
    const breaker = { failures: 1, rate: 0, minimum: 1, windowMs: 1000, openMs: 60_000, openMaxMs: 60_000 }
    const scene = setScene({ settings: { upstreams: [upstreamOf('a', { breaker }), upstreamOf('b')] } })
    const asking = scene.ask()
    const noPort = Object.assign(new Error('none'), { code: 'EADDRNOTAVAIL' })
    scene.nth(1).fail(new ApiError('out_of_connections', { cause: noPort }))
    await settled()
    scene.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(scene.deployments.map(({ health }) => health.isAvailable())).toEqual([true, true])
  })

  test('at the same deployment comes after a back-off with full jitter, and waits for Retry-After', async () => {
    const scene = setScene(ALONE)
    const asking = scene.ask()
    scene.nth(1).fail(REFUSED)
    await settled()
    await scene.pass(124)
    expect(scene.sent).toHaveLength(1)
    await scene.pass(1)
    expect(scene.sent).toHaveLength(2)
    scene.nth(2).answer(new Response('', { status: 429, headers: { 'retry-after-ms': '2000' } }))
    await settled()
    await scene.pass(2124)
    expect(scene.sent).toHaveLength(2)
    await scene.pass(1)
    scene.nth(3).answer(new Response('ok'))
    await asking
    expect(scene.exchange).toMatchObject({
      attempts: 3,
      shouldRetry: undefined,
      tries: [
        { target: 'a', status: undefined, why: 'connect' },
        { target: 'a', status: 429 },
        { target: 'a', status: 200 },
      ],
    })
    scene.exchange.end({ kind: 'complete' }, 2)
    expect(leftOvers(scene)).toEqual(nothing(1))
  })

  test('is not made where the client leaves during the back-off: its reason is the end, and the budget is whole', async () => {
    const scene = setScene(ALONE)
    const asking = scene.ask()
    scene.nth(1).answer(new Response('', { status: 503 }))
    await settled()
    scene.exchange.abort.abort(GONE)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(GONE)
    await scene.pass(60_000)
    expect(scene.sent).toHaveLength(1)
    scene.exchange.end({ kind: 'cancelled' }, 0)
    expect(leftOvers(scene)).toEqual(nothing(1))
  })

  test('is not made without budget: the refusal is the answer', async () => {
    const scene = setScene(ALONE)
    scene.retryBudget.tryTake(100)
    const asking = scene.ask()
    scene.nth(1).answer(new Response('', { status: 503 }))
    expect((await asking).answer.status).toBe(503)
    expect(scene.exchange.shouldRetry).toBe(false)
  })

  test('is not made at a deployment whose usual time does not fit into what is left', async () => {
    for (const [leftMs, isAsked] of [
      [499, false],
      [501, true],
    ] as const) {
      const scene = setScene()
      warmUp(scene.deployments[1], 500)
      // The first deployment is not to be asked again instead.
      scene.retryBudget.tryTake(100)
      const asking = scene.ask({ dueAt: () => 1_000_000 + leftMs })
      scene.nth(1).answer(new Response('', { status: 503 }))
      await settled()
      expect(scene.sent).toHaveLength(isAsked ? 2 : 1)
      scene.sent[1]?.answer(new Response('ok'))
      expect((await asking).answer.status).toBe(isAsked ? 200 : 503)
    }
  })

  test('is not made at a deployment that another call probes', async () => {
    const scene = setScene()
    const health = scene.deployments[1]?.health
    for (let call = 0; call < 3; call += 1) health?.begin().failed()
    scene.clock.advance(1000)
    const asking = scene.ask()
    health?.begin()
    scene.nth(1).answer(new Response('', { status: 503 }))
    await settled()
    expect(scene.sent.map(({ deployment }) => deployment)).toEqual(['a.example'])
    await scene.pass(125)
    scene.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('a/m')
  })
})

describe('a call that can’t be made', () => {
  test('ends the request where it is the first: nothing is sent, nothing is held', async () => {
    const scene = setScene()
    const error = new ApiError('incorrect_api_key')
    const asking = scene.ask({
      callFor() {
        throw error
      },
    })
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(error)
    scene.exchange.end({ kind: 'complete' }, 0)
    expect([scene.sent.length, leftOvers(scene)]).toEqual([0, nothing(2)])
  })

  test('ends the request where it is a later one, too', async () => {
    const scene = setScene()
    const error = new ApiError('incorrect_api_key')
    const asking = scene.ask({
      callFor(deployment, abort) {
        if (deployment.upstream.name === 'b') throw error
        return callFor(deployment, abort)
      },
    })
    scene.nth(1).answer(new Response('', { status: 503 }))
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(error)
    scene.exchange.end({ kind: 'complete' }, 0)
    expect(leftOvers(scene)).toEqual(nothing(2))
  })
})

describe('a deployment without a place', () => {
  test('is left for the next one; that is no attempt, and no failure of the deployment’s', async () => {
    const scene = setScene({
      settings: { upstreams: [upstreamOf('a', { concurrency: { max: 1, queue: 0, queueMs: 1000 } }), upstreamOf('b')] },
    })
    const [first] = scene.deployments
    const { signal } = new AbortController()
    const order = () => scene.deployments
    const route = { model: undefined, resilience: RESILIENCE, deployments: scene.deployments, order }
    const leave = first?.limiter.enter(signal)
    const asking = scene.ask({ route })
    await settled()
    scene.nth(1).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
    expect(scene.exchange).toMatchObject({ attempts: 1, tries: [{ why: 'upstream_busy' }, { status: 200 }] })
    expect(first?.health.state()).toBe('closed')
    if (typeof leave === 'function') leave()
    scene.exchange.end({ kind: 'complete' }, 0)
    expect(leftOvers(scene)).toEqual(nothing(2))
  })

  test('is waited for where it is the only one; whoever leaves meanwhile is forgotten, and counts for nothing', async () => {
    const scene = setScene({ settings: { models: [], upstreams: [upstreamOf('a', LIMITED)] } })
    const [first] = scene.deployments
    const leave = first?.limiter.enter(new AbortController().signal)
    const asking = scene.ask()
    expect(first?.limiter.queued()).toBe(1)
    scene.exchange.abort.abort(GONE)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(GONE)
    expect(scene.exchange).toMatchObject({ attempts: 0, shouldRetry: undefined, tries: [{ why: 'client_closed' }] })
    if (typeof leave === 'function') leave()
    scene.exchange.end({ kind: 'cancelled' }, 0)
    expect(leftOvers(scene)).toEqual(nothing(1))
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
    const scene = setScene(options)
    const asking = scene.ask(changes)
    for (let call = 1; call <= 3; call += 1) {
      scene.sent[call - 1]?.answer(new Response('', { status: 503 }))
      await settled()
      await scene.pass(8000)
    }
    expect((await asking).answer.status).toBe(503)
    expect(scene.exchange.shouldRetry).toBe(isSaid)
  })
})
