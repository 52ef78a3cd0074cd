import { describe, expect, test } from 'bun:test'
import type { Settings } from '../../../../src/config/settings.ts'
import type { Deployment } from '../../../../src/routing/targets/deployment.ts'
import { createRouter, type Router } from '../../../../src/routing/targets/router.ts'
import { keysOf, opened } from '../../../helpers/secrets.ts'
import { BREAKER, depsOf, fakeClock, modelOf, settingsOf, targetOf, upstreamOf } from './router-parts.ts'

const LIMITED = { max: 1, queue: 5, queueMs: 1000 }

function deploymentOf(router: Router, model: string, index = 0): Deployment {
  const deployment = router.route(model).deployments[index]
  if (deployment === undefined) throw new Error('there should be a deployment')
  return deployment
}

/** A router whose deployment `m` has its breaker open and one call under way, and the router of changed settings after it. */
function reloaded(changes: Partial<Settings>): { before: Router; after: Router } {
  const clock = fakeClock()
  const before = createRouter(first(), depsOf(clock))
  const { health } = deploymentOf(before, 'm')
  health.begin()
  for (let call = 0; call < 3; call += 1) {
    const attempt = health.begin()
    attempt.answered(500, 1)
    attempt.ended()
  }
  return { before, after: createRouter({ ...first(), ...changes }, depsOf(clock), before) }
}

function first(): Settings {
  return settingsOf({ models: [modelOf('m', [targetOf('openai', { model: 'gpt-4o' })])] })
}

describe('a reload', () => {
  test('takes over the health of a deployment that stays', () => {
    const { before, after } = reloaded({})
    expect(deploymentOf(after, 'm').health).toBe(deploymentOf(before, 'm').health)
    expect(after.states()).toEqual(before.states())
    expect(after.states()[1]).toMatchObject({ target: 'openai/gpt-4o', state: 'open', in_flight: 1 })
  })

  test('takes it over also where another entry leads to it', () => {
    const models = [modelOf('renamed', [targetOf('openai', { model: 'gpt-4o', weight: 7, order: 2 })])]
    const { before, after } = reloaded({ models })
    expect(deploymentOf(after, 'renamed').health).toBe(deploymentOf(before, 'm').health)
  })

  test.each([
    ['base URL', { upstreams: [upstreamOf('openai', { baseUrl: 'https://other.example/v1' })] }],
    ['key', { upstreams: [upstreamOf('openai', { keys: keysOf('sk-other') })] }],
    ['model', { models: [modelOf('m', [targetOf('openai', { model: 'gpt-5' })])] }],
    [
      'upstream’s name',
      {
        upstreams: [upstreamOf('renamed', { baseUrl: 'https://openai.example/v1', keys: keysOf('sk-openai') })],
        defaultUpstream: 'renamed',
        models: [modelOf('m', [targetOf('renamed', { model: 'gpt-4o' })])],
      },
    ],
  ])('begins anew with another %s', (_what, changes) => {
    const { before, after } = reloaded(changes)
    expect(deploymentOf(after, 'm').health).not.toBe(deploymentOf(before, 'm').health)
    expect(after.states()).toHaveLength(2)
    expect(after.states().map(({ state, in_flight: inFlight }) => [state, inFlight])).toEqual([
      ['closed', 0],
      ['closed', 0],
    ])
  })

  test('finds a key by itself, and not by its place in the pool', () => {
    const clock = fakeClock()
    const before = createRouter(
      settingsOf({ upstreams: [upstreamOf('pool', { keys: keysOf('k1', 'k2') })] }),
      depsOf(clock),
    )
    const after = createRouter(
      settingsOf({ upstreams: [upstreamOf('pool', { keys: keysOf('k2', 'k3') })] }),
      depsOf(clock),
      before,
    )
    expect(opened(deploymentOf(after, 'm').key)).toBe('k2')
    expect(deploymentOf(after, 'm')).toMatchObject({ label: 'pool', keyIndex: 0 })
    expect(deploymentOf(after, 'm').health).toBe(deploymentOf(before, 'm', 1).health)
    expect(deploymentOf(after, 'm', 1).health).not.toBe(deploymentOf(before, 'm').health)
  })

  test('puts what it takes over under the new settings', () => {
    const clock = fakeClock()
    const before = createRouter(first(), depsOf(clock))
    deploymentOf(before, 'm').health.begin().failed()
    const upstream = upstreamOf('openai', { breaker: { ...BREAKER, failures: 2, openMs: 2000 } })
    const after = createRouter({ ...first(), upstreams: [upstream] }, depsOf(clock), before)
    deploymentOf(after, 'm').health.begin().failed()
    expect(deploymentOf(after, 'm').health.waitMs()).toBe(2000)
    expect(deploymentOf(after, 'm').upstream).toBe(upstream)
  })

  test('keeps the calls under way counted at the gate, under its new limits', async () => {
    const clock = fakeClock()
    const signal = new AbortController().signal
    const before = createRouter(settingsOf({ upstreams: [upstreamOf('a', { concurrency: LIMITED })] }), depsOf(clock))
    const { limiter } = deploymentOf(before, 'm')
    const leave = limiter.enter(signal)
    const waiting = limiter.enter(signal)
    const changed = upstreamOf('a', { baseUrl: 'https://moved.example', concurrency: { ...LIMITED, max: 2 } })
    const after = createRouter(settingsOf({ upstreams: [changed] }), depsOf(clock), before)
    const same = deploymentOf(after, 'm').limiter
    expect(same).toBe(limiter)
    await waiting
    expect([same.inUse(), same.queued(), same.hasRoom()]).toEqual([2, 0, false])
    if (typeof leave !== 'function') throw new Error('there was room')
    leave()
    expect(same.inUse()).toBe(1)
  })

  test('has the state go through several of them, but forgets what one of them did not have', () => {
    const clock = fakeClock()
    const deps = depsOf(clock)
    const one = createRouter(first(), deps)
    const two = createRouter(first(), deps, one)
    const three = createRouter(first(), deps, two)
    expect(deploymentOf(three, 'm').health).toBe(deploymentOf(one, 'm').health)
    const without = createRouter(settingsOf(), deps, three)
    const again = createRouter(first(), deps, without)
    expect(deploymentOf(again, 'm').health).not.toBe(deploymentOf(one, 'm').health)
  })

  test('leaves the router before it working', () => {
    const { before } = reloaded({ upstreams: [upstreamOf('openai', { keys: keysOf('sk-other') })] })
    expect(before.route('m').order({})).toHaveLength(1)
    expect(before.states()[1]).toMatchObject({ state: 'open' })
  })
})
