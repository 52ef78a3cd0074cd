import { describe, expect, test } from 'bun:test'
import { createDeploymentHealth } from '../../../../src/routing/health/deployment-health.ts'
import { KeyRest } from '../../../../src/routing/health/key-rest.ts'
import { BREAKER, fakeClock } from '../targets/router-parts.ts'

function setRest() {
  const clock = fakeClock()
  return { clock, rest: new KeyRest({ ...BREAKER, openMs: 1000, openMaxMs: 2500 }, clock.now) }
}

describe('a key that was refused', () => {
  test('rests, for longer each time that it is refused again, up to a limit', () => {
    const { clock, rest } = setRest()
    const rests = Array.from({ length: 4 }, () => {
      const restMs = rest.refused(rest.begin())
      expect(rest.waitMs()).toBe(restMs ?? 0)
      clock.advance(restMs ?? 0)
      return restMs
    })
    expect(rests).toEqual([1000, 2000, 2500, 2500])
  })

  test('is told of once: calls that began before it was known, or during its rest, change nothing', () => {
    const { clock, rest } = setRest()
    const [first, beside] = [rest.begin(), rest.begin()]
    expect([rest.refused(first), rest.refused(beside), rest.refused(rest.begin())]).toEqual([
      1000,
      undefined,
      undefined,
    ])
    clock.advance(999)
    expect(rest.waitMs()).toBe(1)
    rest.accepted(beside)
    expect(rest.waitMs()).toBe(1)
  })

  test('is tried by one call behind its rest; the others wait for that, but not for ever', () => {
    const { clock, rest } = setRest()
    rest.refused(rest.begin())
    clock.advance(1000)
    expect(rest.waitMs()).toBe(0)
    const trial = rest.begin()
    expect(rest.waitMs()).toBeGreaterThan(0)
    rest.accepted(trial)
    expect(rest.waitMs()).toBe(0)
    rest.refused(rest.begin())
    clock.advance(1000)
    rest.begin()
    clock.advance(10_000)
    expect(rest.waitMs()).toBe(0)
  })

  test('is good again as soon as the upstream takes it, where nothing else was there to be asked', () => {
    const { rest } = setRest()
    rest.refused(rest.begin())
    rest.accepted(rest.begin())
    expect(rest.waitMs()).toBe(0)
  })

  test('keeps the callers away who would spend it, from all its deployments, and nobody else', () => {
    const { clock, rest } = setRest()
    const deployments = [
      createDeploymentHealth(BREAKER, clock.now, rest),
      createDeploymentHealth(BREAKER, clock.now, rest),
    ]
    const attempt = deployments[0]?.begin('server', true)
    expect([attempt?.refused(), attempt?.refused()]).toEqual([1000, undefined])
    expect(
      deployments.map((deployment) => [deployment.isAvailable(), deployment.isAvailable('caller'), deployment.state()]),
    ).toEqual([
      [false, true, 'closed'],
      [false, true, 'closed'],
    ])
  })
})

describe('what is learnt on an account', () => {
  test('is that account’s: a limit of the caller’s is none of the server’s, and the other way round', () => {
    const clock = fakeClock()
    const health = createDeploymentHealth(BREAKER, clock.now)
    health.begin('caller').answered(429, 1, 5000)
    expect([health.waitMs(), health.waitMs('caller')]).toEqual([0, 0])
    health.begin('server').answered(429, 1, 500)
    expect([health.waitMs(), health.waitMs('caller')]).toEqual([500, 0])
    health.begin('caller').answered(503, 1, 700)
    expect([health.waitMs(), health.waitMs('caller')]).toEqual([700, 700])
  })
})

describe('a client whose time ran out', () => {
  const outwait = (waits: readonly number[], usualMs?: number, answersBetween = false) => {
    const clock = fakeClock()
    const health = createDeploymentHealth({ ...BREAKER, failures: waits.length, rate: 0 }, clock.now)
    if (usualMs !== undefined) health.begin().answered(200, usualMs)
    for (const ms of waits) {
      const attempt = health.begin()
      if (answersBetween) health.begin().answered(400, 1)
      attempt.outwaited(ms)
    }
    return health.state()
  }

  test('counts against a target that was silent to all, for as long as it usually takes', () => {
    expect(outwait([100, 100, 100])).toBe('open')
    expect(outwait([100, 100, 100], 90)).toBe('open')
    expect(outwait([100, 100, 100], 110)).toBe('closed')
    expect(outwait([100, 100, 100], 90, true)).toBe('closed')
  })

  test('opens a half-open breaker again, or leaves the try to the next', () => {
    const clock = fakeClock()
    const health = createDeploymentHealth({ ...BREAKER, failures: 1 }, clock.now)
    health.begin().answered(200, 50)
    health.begin().failed()
    clock.advance(1000)
    health.begin().outwaited(10)
    expect([health.state(), health.isAvailable()]).toEqual(['half_open', true])
    health.begin().outwaited(50)
    expect(health.state()).toBe('open')
  })
})
