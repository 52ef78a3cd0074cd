import { describe, expect, test } from 'bun:test'
import type { BreakerSettings } from '../../../../src/config/sections/breaker.ts'
import { createDeploymentHealth, type DeploymentHealth } from '../../../../src/routing/health/deployment-health.ts'
import { BREAKER, type FakeClock, fakeClock } from '../targets/router-parts.ts'

function healthOf(changes: Partial<BreakerSettings> = {}): { health: DeploymentHealth; clock: FakeClock } {
  const clock = fakeClock()
  return { health: createDeploymentHealth({ ...BREAKER, ...changes }, clock.now), clock }
}

/** One call from its beginning to its end; without a status, it fails. */
function call(health: DeploymentHealth, status?: number, ms = 10, retryAfterMs?: number): void {
  const attempt = health.begin()
  if (status === undefined) attempt.failed()
  else attempt.answered(status, ms, retryAfterMs)
  attempt.ended()
}

function fail(health: DeploymentHealth, times: number): void {
  for (let time = 0; time < times; time += 1) call(health)
}

describe('a breaker', () => {
  test('is closed at first, and open after the set number of failures in a row', () => {
    const { health } = healthOf()
    fail(health, 2)
    expect([health.state(), health.isAvailable(), health.waitMs()]).toEqual(['closed', true, 0])
    fail(health, 1)
    expect([health.state(), health.isAvailable(), health.waitMs()]).toEqual(['open', false, 1000])
  })

  test.each([200, 302, 400, 401, 404, 429, 501, 505])('takes a %i for an end of the failures in a row', (status) => {
    const { health } = healthOf()
    fail(health, 2)
    call(health, status)
    fail(health, 2)
    expect(health.state()).toBe('closed')
  })

  test('opens for good answers that break off in a row, which one that ends well interrupts', () => {
    const { health } = healthOf({ rate: 0 })
    const answer = (isBroken: boolean): void => {
      const attempt = health.begin()
      attempt.answered(200, 10)
      attempt.ended(isBroken)
    }
    for (const isBroken of [true, true, false, true, true]) answer(isBroken)
    expect(health.state()).toBe('closed')
    answer(true)
    expect(health.state()).toBe('open')
  })

  test('opens for them whatever clients leave between, which says nothing of how those would have ended', () => {
    const { health } = healthOf({ rate: 0 })
    for (const isBroken of [true, undefined, true, undefined, undefined, true]) {
      const attempt = health.begin()
      attempt.answered(200, 10)
      attempt.ended(isBroken)
    }
    expect(health.state()).toBe('open')
  })

  test('does not count the broken body of an answer that was a failure anyway, or that nobody waited for', () => {
    const { health } = healthOf()
    for (let time = 0; time < 2; time += 1) {
      const failed = health.begin()
      failed.answered(500, 10)
      failed.ended(true)
    }
    const abandoned = health.begin()
    abandoned.abandoned()
    abandoned.ended(true)
    expect(health.state()).toBe('closed')
  })

  test.each([500, 502, 503, 504, 529, 599])('takes a %i for a failure', (status) => {
    const { health } = healthOf()
    for (let time = 0; time < 3; time += 1) call(health, status)
    expect(health.state()).toBe('open')
  })

  test('does not open for clients that leave, however many', () => {
    const { health } = healthOf()
    fail(health, 2)
    for (let time = 0; time < 50; time += 1) {
      const attempt = health.begin()
      attempt.abandoned()
      attempt.ended()
    }
    expect(health.state()).toBe('closed')
    fail(health, 1)
    expect(health.state()).toBe('open')
  })

  test('is half open when its time is up, and lets one probe through', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(999)
    expect([health.state(), health.waitMs()]).toEqual(['open', 1])
    clock.advance(1)
    expect([health.state(), health.isAvailable()]).toEqual(['half_open', true])
    const probe = health.begin()
    expect([health.state(), health.isAvailable(), health.waitMs()]).toEqual(['half_open', false, 0])
    probe.answered(200, 5)
    expect([health.state(), health.isAvailable()]).toEqual(['closed', true])
  })

  test('asks about the probe without taking it', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(1000)
    expect([health.isAvailable(), health.isAvailable()]).toEqual([true, true])
  })

  test.each([200, 404, 429])('closes for a probe with a %i', (status) => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(1000)
    call(health, status)
    expect(health.state()).toBe('closed')
  })

  test('stays open longer with each probe that fails, up to the set time, and forgets that with a success', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    const waits: number[] = []
    for (let probe = 0; probe < 4; probe += 1) {
      waits.push(health.waitMs())
      clock.advance(health.waitMs())
      call(health, probe % 2 === 0 ? undefined : 500)
    }
    expect([...waits, health.waitMs()]).toEqual([1000, 2000, 2500, 2500, 2500])
    clock.advance(2500)
    call(health, 200)
    fail(health, 3)
    expect(health.waitMs()).toBe(1000)
  })

  test('lets another probe through when the first is abandoned', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(1000)
    const probe = health.begin()
    probe.abandoned()
    expect([health.state(), health.isAvailable()]).toEqual(['half_open', true])
    call(health)
    expect(health.waitMs()).toBe(2000)
  })

  test('lets another probe through when the first ends and nobody said how', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(1000)
    health.begin().ended()
    expect(health.isAvailable()).toBe(true)
  })

  test('keeps its probe when another call, which was made all the same, is abandoned', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    const early = health.begin()
    clock.advance(1000)
    health.begin()
    early.abandoned()
    expect(health.isAvailable()).toBe(false)
  })

  test('counts failures in a row by when they come, whatever succeeded between their beginnings', () => {
    const { health } = healthOf()
    const attempts = [health.begin(), health.begin(), health.begin()]
    call(health, 200)
    for (const attempt of attempts) attempt.failed()
    expect(health.state()).toBe('open')
  })

  test('is not moved by what began before it opened', () => {
    const { health, clock } = healthOf()
    const [slow, slower, slowest] = [health.begin(), health.begin(), health.begin()]
    fail(health, 3)
    slow.answered(200, 900)
    expect(health.state()).toBe('open')
    slower.failed()
    expect(health.waitMs()).toBe(1000)
    clock.advance(1000)
    const probe = health.begin()
    slowest.abandoned()
    expect(health.isAvailable()).toBe(false)
    probe.answered(200, 5)
    expect(health.state()).toBe('closed')
  })

  test('is not opened again by what fails later but began before it opened', () => {
    const { health, clock } = healthOf()
    const old = [health.begin(), health.begin(), health.begin()]
    fail(health, 3)
    clock.advance(1000)
    call(health, 200)
    for (const attempt of old) attempt.failed()
    expect(health.state()).toBe('closed')
  })

  test('that is asked although it is open closes with a success, and opens no longer for a failure', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(400)
    call(health)
    expect(health.waitMs()).toBe(600)
    call(health, 200)
    expect([health.state(), health.isAvailable()]).toEqual(['closed', true])
  })

  test('that was closed by another call is not moved by its probe', () => {
    const { health, clock } = healthOf()
    fail(health, 3)
    clock.advance(1000)
    const probe = health.begin()
    call(health, 200)
    expect(health.state()).toBe('closed')
    probe.failed()
    expect([health.state(), health.isAvailable()]).toEqual(['closed', true])
  })

  test('with 0 failures never opens for failures in a row', () => {
    const { health } = healthOf({ failures: 0 })
    fail(health, 1000)
    expect([health.state(), health.isAvailable()]).toEqual(['closed', true])
  })

  test('counts the first thing that an attempt is told, once', () => {
    const { health } = healthOf()
    const attempt = health.begin()
    attempt.answered(200, 5)
    for (let time = 0; time < 5; time += 1) attempt.failed()
    attempt.ended()
    attempt.ended()
    expect([health.state(), health.inFlight()]).toEqual(['closed', 0])
  })
})

describe('the share of failures', () => {
  const rates = { failures: 0, rate: 0.5, minimum: 10 }

  test('opens a breaker once there are enough calls', () => {
    const { health } = healthOf(rates)
    fail(health, 9)
    expect(health.state()).toBe('closed')
    fail(health, 1)
    expect(health.state()).toBe('open')
  })

  test('opens it when it is reached among successes, and not before', () => {
    const { health } = healthOf(rates)
    for (let time = 0; time < 10; time += 1) call(health, 200)
    fail(health, 9)
    expect(health.state()).toBe('closed')
    fail(health, 1)
    expect(health.state()).toBe('open')
  })

  test('is that of all calls: successes are among the calls that are enough', () => {
    const { health } = healthOf(rates)
    for (let time = 0; time < 5; time += 1) call(health, 200)
    fail(health, 4)
    expect(health.state()).toBe('closed')
    fail(health, 1)
    expect(health.state()).toBe('open')
  })

  test('is one of the window only', () => {
    const { health, clock } = healthOf(rates)
    fail(health, 9)
    clock.advance(10_000)
    fail(health, 9)
    expect(health.state()).toBe('closed')
  })

  test('counts anew after the breaker has closed', () => {
    const { health, clock } = healthOf(rates)
    fail(health, 10)
    clock.advance(1000)
    call(health, 200)
    fail(health, 8)
    expect(health.state()).toBe('closed')
  })

  test('of 4xx answers is none', () => {
    const { health } = healthOf(rates)
    for (let time = 0; time < 100; time += 1) call(health, 429)
    expect(health.state()).toBe('closed')
  })
})

describe('a deployment cools down', () => {
  test('as long as Retry-After with a 429 says, and that is no opening', () => {
    const { health, clock } = healthOf()
    call(health, 429, 5, 800)
    expect([health.state(), health.isAvailable(), health.waitMs()]).toEqual(['closed', false, 800])
    clock.advance(799)
    expect(health.isAvailable()).toBe(false)
    clock.advance(1)
    expect([health.isAvailable(), health.waitMs()]).toEqual([true, 0])
    fail(health, 3)
    expect(health.waitMs()).toBe(1000)
  })

  test.each([503, 529])('for a %i, which counts as a failure, too', (status) => {
    const { health, clock } = healthOf()
    call(health, status, 5, 800)
    expect([health.state(), health.waitMs()]).toEqual(['closed', 800])
    clock.advance(800)
    fail(health, 2)
    expect(health.state()).toBe('open')
  })

  test('at most as long as a breaker may be open', () => {
    const { health } = healthOf()
    call(health, 429, 5, 3_600_000)
    expect(health.waitMs()).toBe(2500)
  })

  test('no shorter for a shorter Retry-After that comes later', () => {
    const { health } = healthOf()
    call(health, 429, 5, 2000)
    call(health, 429, 5, 100)
    expect(health.waitMs()).toBe(2000)
  })

  test('for no other status, and for none without Retry-After', () => {
    const { health } = healthOf()
    call(health, 200, 5, 2000)
    call(health, 500, 5, 2000)
    call(health, 429, 5)
    expect([health.isAvailable(), health.waitMs()]).toEqual([true, 0])
  })

  test('also after its breaker would let a probe through', () => {
    const { health, clock } = healthOf({ failures: 1 })
    call(health, 503, 5, 2400)
    expect([health.state(), health.waitMs()]).toEqual(['open', 2400])
    clock.advance(1000)
    expect([health.state(), health.isAvailable(), health.waitMs()]).toEqual(['half_open', false, 1400])
    clock.advance(1400)
    expect(health.isAvailable()).toBe(true)
  })
})

describe('the calls of a deployment', () => {
  test('are in flight from their beginning to the end of their bodies', () => {
    const { health } = healthOf()
    const [one, other] = [health.begin(), health.begin()]
    expect(health.inFlight()).toBe(2)
    one.answered(200, 5)
    expect(health.inFlight()).toBe(2)
    one.ended()
    other.failed()
    other.ended()
    expect(health.inFlight()).toBe(0)
  })

  test('leave the times of their 2xx answers', () => {
    const { health } = healthOf()
    expect(health.averageMs()).toBeUndefined()
    for (const status of [101, 199, 300, 404, 500]) call(health, status, 1)
    expect(health.averageMs()).toBeUndefined()
    call(health, 200, 100)
    call(health, 206, 200)
    expect(health.averageMs()).toBeCloseTo(120)
    for (let time = 0; time < 18; time += 1) call(health, 201, 100)
    expect([health.percentile(50), health.percentile(99)]).toEqual([100, 200])
  })
})

test('new settings hold from the next failure on, and what is open stays open as long', () => {
  const { health } = healthOf()
  fail(health, 1)
  health.configure({ ...BREAKER, failures: 2, openMs: 2000 })
  fail(health, 1)
  expect(health.waitMs()).toBe(2000)
  health.configure({ ...BREAKER, openMs: 1 })
  expect(health.waitMs()).toBe(2000)
})

test('another window begins empty; the same one goes on', () => {
  const rates = { ...BREAKER, failures: 0, rate: 0.5, minimum: 10 }
  const { health } = healthOf(rates)
  fail(health, 9)
  health.configure({ ...rates, openMs: 500 })
  health.configure({ ...rates, windowMs: 5000 })
  fail(health, 9)
  expect(health.state()).toBe('closed')
  health.configure({ ...rates, windowMs: 5000, minimum: 5 })
  fail(health, 1)
  expect(health.state()).toBe('open')
})
