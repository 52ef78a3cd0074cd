import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { RESILIENCE, upstreamOf } from '../targets/router-parts.ts'
import {
  callFor,
  endless,
  type ScriptedAttempts,
  type ScriptedAttemptsOptions,
  scriptAttempts,
  settled,
  warmUp,
} from './scripted-attempts.ts'

const HEDGE = { percentile: 95, minMs: 50, budgetPercent: 5 }
const MODEL = { resilience: { ...RESILIENCE, hedge: HEDGE } }
const USUAL_MS = 80

/** Attempts whose first deployment is known to be quick. */
function scriptHedged(options: ScriptedAttemptsOptions = {}): ScriptedAttempts {
  const attempts = scriptAttempts({ model: MODEL, ...options })
  warmUp(attempts.deployments[0], USUAL_MS)
  return attempts
}

function isBudgetFull({ hedgeBudget }: ScriptedAttempts): boolean {
  const release = hedgeBudget.tryTake(100)
  release?.()
  return release !== undefined
}

function inFlight({ deployments }: ScriptedAttempts): readonly number[] {
  return deployments.map(({ health }) => health.inFlight())
}

describe('a second call', () => {
  test('is made when the first has had the time that it usually takes, and not before', async () => {
    const attempts = scriptHedged()
    const asking = attempts.ask()
    await attempts.pass(USUAL_MS - 1)
    expect(attempts.sent).toHaveLength(1)
    await attempts.pass(1)
    expect(attempts.sent.map(({ deployment }) => deployment)).toEqual(['a.example', 'b.example'])
    attempts.nth(2).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('b/m')
  })

  test('is never made before the least time that the settings say', async () => {
    const attempts = scriptHedged({ model: { resilience: { ...RESILIENCE, hedge: { ...HEDGE, minMs: 200 } } } })
    attempts.ask().catch(() => undefined)
    await attempts.pass(199)
    expect(attempts.sent).toHaveLength(1)
    await attempts.pass(1)
    expect(attempts.sent).toHaveLength(2)
  })

  test('is not made where the first has answered, or failed, or its client has left: and no clock goes on', async () => {
    const ends: Record<string, (attempts: ScriptedAttempts) => void> = {
      answered: ({ nth }) => nth(1).answer(new Response('ok')),
      left: ({ exchange }) => exchange.abort.abort(new ApiError('client_closed')),
    }
    for (const end of Object.values(ends)) {
      const attempts = scriptHedged()
      const asking = attempts.ask().catch(() => undefined)
      await attempts.pass(USUAL_MS - 1)
      end(attempts)
      await asking
      await attempts.pass(USUAL_MS)
      expect([attempts.sent.length, attempts.clock.running(), isBudgetFull(attempts)]).toEqual([1, 0, true])
    }
  })

  test('is not made where the second deployment is usually too slow for the time that is left', async () => {
    const attempts = scriptHedged()
    warmUp(attempts.deployments[1], 500)
    const due = attempts.clock.at + USUAL_MS + 499
    const asking = attempts.ask({ dueAt: () => due })
    await attempts.pass(USUAL_MS)
    expect(attempts.sent).toHaveLength(1)
    attempts.nth(1).answer(new Response('ok'))
    expect((await asking).deployment.label).toBe('a/m')
  })

  test('is not made where the second deployment has no place, or the caller may not go there: the first is waited for', async () => {
    const forbidden = scriptHedged()
    const busy = scriptHedged({
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
    for (const attempts of [forbidden, busy]) {
      await attempts.pass(USUAL_MS)
      expect([attempts.sent.length, attempts.deployments[1]?.limiter.queued()]).toEqual([1, 0])
      attempts.nth(1).answer(new Response('ok'))
    }
    for (const one of asking) expect((await one).deployment.label).toBe('a/m')
  })
})

describe('of two calls', () => {
  test('the loser is ended when the other answers; it is logged, and counts for nothing', async () => {
    const attempts = scriptHedged()
    const asking = attempts.ask()
    await attempts.pass(USUAL_MS)
    attempts.clock.advance(20)
    attempts.nth(2).answer(new Response('ok'))
    expect((await asking).answer.status).toBe(200)
    expect(attempts.nth(1).call.abort.signal.aborted).toBe(true)
    expect(attempts.exchange.abort.signal.aborted).toBe(false)
    expect(attempts.exchange).toMatchObject({
      attempts: 2,
      upstreamMs: 20,
      tries: [
        { target: 'b/m', status: 200, ms: 20 },
        { target: 'a/m', status: undefined, ms: 100, why: 'lost' },
      ],
    })
    await settled()
    expect(inFlight(attempts)).toEqual([0, 1])
    expect(isBudgetFull(attempts)).toBe(false)
    attempts.exchange.end({ kind: 'complete' }, 2)
    expect([inFlight(attempts), isBudgetFull(attempts)]).toEqual([[0, 0], true])
  })

  test('a loser that answers nevertheless is cancelled, gives its place back, and is logged once', async () => {
    const attempts = scriptHedged({
      settings: { upstreams: [upstreamOf('a', { concurrency: { max: 1, queue: 0, queueMs: 0 } }), upstreamOf('b')] },
    })
    const asking = attempts.ask()
    await attempts.pass(USUAL_MS)
    const { response, isCancelled } = endless(200)
    attempts.nth(2).answer(new Response('ok'))
    attempts.nth(1).answer(response)
    expect((await asking).deployment.label).toBe('b/m')
    await settled()
    expect(isCancelled()).toBe(true)
    expect(attempts.deployments[0]?.limiter.inUse()).toBe(0)
    expect(attempts.exchange.upstreamMs).toBe(0)
    expect(attempts.exchange.tries?.map(({ target }) => target).toSorted()).toEqual(['a/m', 'b/m'])
  })

  test('one that fails leaves the other to answer, whichever it is', async () => {
    for (const [bad, good] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const attempts = scriptHedged()
      const asking = attempts.ask()
      await attempts.pass(USUAL_MS)
      const { response, isCancelled } = endless(503)
      attempts.nth(bad).answer(response)
      await settled()
      attempts.nth(good).answer(new Response('ok'))
      expect((await asking).answer.status).toBe(200)
      expect([isCancelled(), attempts.exchange.attempts]).toEqual([true, 2])
      attempts.exchange.end({ kind: 'complete' }, 2)
      expect(inFlight(attempts)).toEqual([0, 0])
    }
  })

  test('both fail: both were attempts, and one more may follow, after a back-off', async () => {
    for (const [early, late] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const attempts = scriptHedged()
      const asking = attempts.ask()
      await attempts.pass(USUAL_MS)
      attempts.nth(early).answer(new Response('', { status: 503 }))
      await settled()
      attempts.nth(late).answer(new Response('', { status: 429 }))
      await settled()
      expect(attempts.sent).toHaveLength(2)
      await attempts.pass(8000)
      expect(attempts.sent).toHaveLength(3)
      attempts.nth(3).answer(new Response('', { status: 503 }))
      expect((await asking).answer.status).toBe(503)
      expect(attempts.exchange).toMatchObject({ attempts: 3, shouldRetry: false })
      attempts.exchange.end({ kind: 'complete' }, 0)
      expect([inFlight(attempts), attempts.clock.running(), isBudgetFull(attempts)]).toEqual([[0, 0], 0, true])
    }
  })

  test('both end when the client leaves: nobody’s fault, and nothing is held', async () => {
    const attempts = scriptHedged()
    const asking = attempts.ask()
    await attempts.pass(USUAL_MS)
    const gone = new ApiError('client_closed')
    attempts.exchange.abort.abort(gone)
    expect(await asking.catch((thrown: unknown) => thrown)).toBe(gone)
    attempts.exchange.end({ kind: 'cancelled' }, 0)
    await settled()
    expect([inFlight(attempts), attempts.clock.running(), isBudgetFull(attempts)]).toEqual([[0, 0], 0, true])
    expect(attempts.deployments.map(({ health }) => health.state())).toEqual(['closed', 'closed'])
    expect(attempts.exchange.tries?.map(({ why }) => why)).toEqual(['client_closed', 'client_closed'])
  })
})
