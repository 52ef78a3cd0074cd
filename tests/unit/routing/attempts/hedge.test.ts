import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { RESILIENCE, upstreamOf } from '../targets/scene.ts'
import { callFor, endless, type Scene, type SceneOptions, setScene, settled, warmUp } from './scene.ts'

const HEDGE = { percentile: 95, minMs: 50, budgetPercent: 5 }
const MODEL = { resilience: { ...RESILIENCE, hedge: HEDGE } }
const USUAL_MS = 80

/** A scene whose first deployment is known to be quick. */
function setHedged(options: SceneOptions = {}): Scene {
  const scene = setScene({ model: MODEL, ...options })
  warmUp(scene.deployments[0], USUAL_MS)
  return scene
}

function isBudgetFull({ hedgeBudget }: Scene): boolean {
  const release = hedgeBudget.tryTake(100)
  release?.()
  return release !== undefined
}

function inFlight({ deployments }: Scene): readonly number[] {
  return deployments.map(({ health }) => health.inFlight())
}

describe('a second call', () => {
  test('is made when the first has had the time that it usually takes, and not before', async () => {
    const scene = setHedged()
    const asking = scene.ask()
    await scene.pass(USUAL_MS - 1)
    expect(scene.sent).toHaveLength(1)
    await scene.pass(1)
    expect(scene.sent.map(({ deployment }) => deployment)).toEqual(['a.example', 'b.example'])
    scene.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
  })

  test('is never made before the least time that the settings say', async () => {
    const scene = setHedged({ model: { resilience: { ...RESILIENCE, hedge: { ...HEDGE, minMs: 200 } } } })
    scene.ask().catch(() => undefined)
    await scene.pass(199)
    expect(scene.sent).toHaveLength(1)
    await scene.pass(1)
    expect(scene.sent).toHaveLength(2)
  })

  test('is not made where the first has answered, or failed, or its client has left: and no clock goes on', async () => {
    const ends: Record<string, (scene: Scene) => void> = {
      answered: ({ nth }) => nth(1).answer(new Response('ok')),
      left: ({ exchange }) => exchange.abort.abort(new ApiError('client_closed')),
    }
    for (const end of Object.values(ends)) {
      const scene = setHedged()
      const asking = scene.ask().catch(() => undefined)
      await scene.pass(USUAL_MS - 1)
      end(scene)
      await asking
      await scene.pass(USUAL_MS)
      expect([scene.sent.length, scene.clock.running(), isBudgetFull(scene)]).toEqual([1, 0, true])
    }
  })

  test('is not made where the second deployment is usually too slow for the time that is left', async () => {
    const scene = setHedged()
    warmUp(scene.deployments[1], 500)
    const due = scene.clock.at + USUAL_MS + 499
    const asking = scene.ask({ dueAt: () => due })
    await scene.pass(USUAL_MS)
    expect(scene.sent).toHaveLength(1)
    scene.nth(1).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('a/m')
  })

  test('is not made where the second deployment has no place, or the caller may not go there: the first is waited for', async () => {
    const forbidden = setHedged()
    const busy = setHedged({
      settings: { upstreams: [upstreamOf('a'), upstreamOf('b', { concurrency: { max: 1, queue: 5, queueMs: 0 } })] },
    })
    const asking = [
      forbidden.ask({
        callFor(deployment, abort) {
          if (deployment.upstream.name === 'b') throw new ApiError('incorrect_api_key')
          return callFor(deployment, abort)
        },
      }),
      busy.ask(),
    ]
    busy.deployments[1]?.limiter.enter(new AbortController().signal)
    for (const scene of [forbidden, busy]) {
      await scene.pass(USUAL_MS)
      expect([scene.sent.length, scene.deployments[1]?.limiter.queued()]).toEqual([1, 0])
      scene.nth(1).answer(new Response('ok'))
    }
    for (const one of asking) expect((await one).deployment.label).toBe('a/m')
  })
})

describe('of two calls', () => {
  test('the loser is ended when the other answers; it is logged, and counts for nothing', async () => {
    const scene = setHedged()
    const asking = scene.ask()
    await scene.pass(USUAL_MS)
    scene.clock.advance(20)
    scene.nth(2).answer(new Response('ok'))
    expect((await asking).answer.status).toBe(200)
    expect(scene.nth(1).call.abort.signal.aborted).toBe(true)
    expect(scene.exchange.abort.signal.aborted).toBe(false)
    expect(scene.exchange).toMatchObject({
      attempts: 2,
      upstreamMs: 20,
      tries: [
        { target: 'b/m', status: 200, ms: 20 },
        { target: 'a/m', status: undefined, ms: 100, why: 'lost' },
      ],
    })
    await settled()
    expect(inFlight(scene)).toEqual([0, 1])
    expect(isBudgetFull(scene)).toBe(false)
    scene.exchange.end({ kind: 'complete' }, 2)
    expect([inFlight(scene), isBudgetFull(scene)]).toEqual([[0, 0], true])
  })

  test('a loser that answers nevertheless is cancelled, gives its place back, and is logged once', async () => {
    const scene = setHedged({
      settings: { upstreams: [upstreamOf('a', { concurrency: { max: 1, queue: 0, queueMs: 0 } }), upstreamOf('b')] },
    })
    const asking = scene.ask()
    await scene.pass(USUAL_MS)
    const { response, isCancelled } = endless(200)
    scene.nth(2).answer(new Response('ok'))
    scene.nth(1).answer(response)
    expect((await asking).deployment.label).toBe('b/m')
    await settled()
    expect(isCancelled()).toBe(true)
    expect(scene.deployments[0]?.limiter.inUse()).toBe(0)
    expect(scene.exchange.upstreamMs).toBe(0)
    expect(scene.exchange.tries?.map(({ target }) => target).toSorted()).toEqual(['a/m', 'b/m'])
  })

  test('one that fails leaves the other to answer, whichever it is', async () => {
    for (const [bad, good] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const scene = setHedged()
      const asking = scene.ask()
      await scene.pass(USUAL_MS)
      const { response, isCancelled } = endless(503)
      scene.nth(bad).answer(response)
      await settled()
      scene.nth(good).answer(new Response('ok'))
      expect((await asking).answer.status).toBe(200)
      expect([isCancelled(), scene.exchange.attempts]).toEqual([true, 2])
      scene.exchange.end({ kind: 'complete' }, 2)
      expect(inFlight(scene)).toEqual([0, 0])
    }
  })

  test('both fail: both were attempts, and one more may follow, after a back-off', async () => {
    for (const [early, late] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const scene = setHedged()
      const asking = scene.ask()
      await scene.pass(USUAL_MS)
      scene.nth(early).answer(new Response('', { status: 503 }))
      await settled()
      scene.nth(late).answer(new Response('', { status: 429 }))
      await settled()
      expect(scene.sent).toHaveLength(2)
      await scene.pass(8000)
      expect(scene.sent).toHaveLength(3)
      scene.nth(3).answer(new Response('', { status: 503 }))
      expect((await asking).answer.status).toBe(503)
      expect(scene.exchange).toMatchObject({ attempts: 3, shouldRetry: false })
      scene.exchange.end({ kind: 'complete' }, 0)
      expect([inFlight(scene), scene.clock.running(), isBudgetFull(scene)]).toEqual([[0, 0], 0, true])
    }
  })

  test('both end when the client leaves: nobody’s fault, and nothing is held', async () => {
    const scene = setHedged()
    const asking = scene.ask()
    await scene.pass(USUAL_MS)
    const gone = new ApiError('client_closed')
    scene.exchange.abort.abort(gone)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(gone)
    scene.exchange.end({ kind: 'cancelled' }, 0)
    await settled()
    expect([inFlight(scene), scene.clock.running(), isBudgetFull(scene)]).toEqual([[0, 0], 0, true])
    expect(scene.deployments.map(({ health }) => health.state())).toEqual(['closed', 'closed'])
    expect(scene.exchange.tries?.map(({ why }) => why)).toEqual(['client_closed', 'client_closed'])
  })
})
