import { describe, expect, test } from 'bun:test'
import { createRouter } from '../../../../src/routing/targets/router.ts'
import { keysOf } from '../../../helpers/secrets.ts'
import {
  depsOf,
  fakeClock,
  modelOf,
  orderFor,
  RESILIENCE,
  seededRandom,
  settingsOf,
  targetOf,
  upstreamOf,
} from './router-parts.ts'

const TWO = [upstreamOf('openai'), upstreamOf('groq')]

describe('without models', () => {
  const settings = settingsOf({ hasFile: false, upstreams: [upstreamOf('api.openai.com')] })
  const router = createRouter(settings, depsOf(fakeClock()))

  test('every name and none lead to the one upstream, by one route that is there before', () => {
    const route = router.route(undefined)
    for (const name of ['gpt-4o', '', '__proto__', 'x'.repeat(10_000)]) expect(router.route(name)).toBe(route)
    expect(route).toMatchObject({ model: undefined, resilience: RESILIENCE })
    expect(route.order({})).toBe(route.order({ affinity: 'x' }))
    expect(route.order({})).toEqual(route.deployments)
    expect(router.settings).toBe(settings)
  })

  test('the deployment has the upstream and its key, and the model is as the caller wrote it', () => {
    const [deployment] = router.route('gpt-4o').deployments
    expect(deployment).toMatchObject({
      label: 'api.openai.com',
      upstream: settings.upstreams[0],
      model: undefined,
      keyIndex: 0,
    })
    expect(deployment?.key?.reveal()).toBe('sk-api.openai.com')
  })
})

describe('a model', () => {
  const models = [
    modelOf('smart', [targetOf('openai', { model: 'gpt-4o' }), targetOf('groq', { order: 1 })]),
    modelOf('gpt-*', [targetOf('openai')]),
    modelOf('groq/*', [targetOf('groq', { model: '*' }), targetOf('openai', { model: 'via-*-*', order: 1 })]),
    modelOf('gpt-*-mini', [targetOf('groq', { model: 'mini' })]),
    modelOf('gpt-4o', [targetOf('groq', { model: 'exact' })]),
  ]
  const router = createRouter(settingsOf({ upstreams: TWO, models }), depsOf(fakeClock()))

  test('leads to its targets, under the names that the upstreams know', () => {
    const route = router.route('smart')
    expect(route).toMatchObject({ model: models[0], resilience: models[0]?.resilience })
    expect(route.deployments.map(({ label, model }) => [label, model])).toEqual([
      ['openai/gpt-4o', 'gpt-4o'],
      ['groq/smart', undefined],
    ])
    expect(router.route('smart')).toBe(route)
  })

  test('of an exact name goes before wildcards, and longer wildcards before shorter ones', () => {
    expect(orderFor(router, 'gpt-4o')).toEqual(['groq/exact'])
    expect(orderFor(router, 'gpt-4o-mini')).toEqual(['groq/mini'])
    expect(orderFor(router, 'gpt-5')).toEqual(['openai/gpt-5'])
  })

  test('of a wildcard has deployments of its own for each name, with the * filled in', () => {
    const route = router.route('groq/llama$&/3')
    expect(route.deployments.map(({ label, model }) => [label, model])).toEqual([
      ['groq/llama$&/3', 'llama$&/3'],
      ['openai/via-llama$&/3-llama$&/3', 'via-llama$&/3-llama$&/3'],
    ])
    expect(router.route('groq/llama$&/3')).toBe(route)
    expect(router.route('gpt-5').deployments[0]?.model).toBeUndefined()
  })

  test('that no entry fits, or that is missing, leads to the default upstream', () => {
    expect(orderFor(router, 'claude')).toEqual(['openai'])
    expect(router.route('claude')).toBe(router.route(undefined))
    expect(router.route('smart')).not.toBe(router.route(undefined))
  })

  test('that no entry fits is refused where the settings say so; a missing one is not', () => {
    const strict = createRouter(settingsOf({ upstreams: TWO, models, unknownModels: 'refuse' }), depsOf(fakeClock()))
    expect(() => strict.route('claude')).toThrow(
      expect.objectContaining({
        kind: 'model_not_found',
        message: 'The model `claude` does not exist or you do not have access to it.',
      }),
    )
    expect(() => strict.route('c'.repeat(5000))).toThrow(`The model \`${'c'.repeat(100)}\` does not exist`)
    expect(orderFor(strict, undefined)).toEqual(['openai'])
    expect(orderFor(strict, 'gpt-5')).toEqual(['openai/gpt-5'])
  })

  test('is refused without any entry, too', () => {
    const strict = createRouter(settingsOf({ unknownModels: 'refuse' }), depsOf(fakeClock()))
    expect(() => strict.route('gpt-4o')).toThrow(expect.objectContaining({ kind: 'model_not_found' }))
    expect(orderFor(strict, undefined)).toEqual(['openai'])
  })

  test('does not make the router grow, however many names callers think of', () => {
    for (let number = 0; number < 5000; number += 1) router.route(`gpt-${number}`)
    expect(router.states().length).toBeLessThan(10)
    expect(orderFor(router, 'gpt-0')).toEqual(['openai/gpt-0'])
  })
})

describe('the strategy of a model', () => {
  test('chooses within each order', () => {
    const models = [
      modelOf(
        'rr',
        [targetOf('openai', { order: 1 }), targetOf('groq', { order: 1 }), targetOf('openai', { model: 'x' })],
        {
          strategy: 'round_robin',
        },
      ),
    ]
    const router = createRouter(settingsOf({ upstreams: TWO, models }), depsOf(fakeClock()))
    expect([orderFor(router, 'rr'), orderFor(router, 'rr')]).toEqual([
      ['openai/x', 'openai/rr', 'groq/rr'],
      ['openai/x', 'groq/rr', 'openai/rr'],
    ])
  })

  test('turns once for all names of a wildcard', () => {
    const models = [modelOf('*', [targetOf('openai'), targetOf('groq')], { strategy: 'round_robin' })]
    const router = createRouter(settingsOf({ upstreams: TWO, models }), depsOf(fakeClock()))
    expect(['a', 'b', 'c'].map((name) => orderFor(router, name)[0])).toEqual(['openai/a', 'groq/b', 'openai/c'])
  })

  test('weighs a target, however many keys it has', () => {
    const upstreams = [upstreamOf('pool', { keys: keysOf('k1', 'k2', 'k3') }), upstreamOf('groq')]
    const models = [modelOf('m', [targetOf('pool', { weight: 3 }), targetOf('groq')], { strategy: 'weighted' })]
    const router = createRouter(settingsOf({ upstreams, models }), depsOf(fakeClock(), seededRandom(9)))
    const firsts: Record<string, number> = {}
    for (let time = 0; time < 10_000; time += 1) {
      const first = orderFor(router, 'm')[0] ?? ''
      firsts[first] = (firsts[first] ?? 0) + 1
    }
    for (const label of ['pool/m', 'pool/m#2', 'pool/m#3', 'groq/m']) {
      expect(Math.abs((firsts[label] ?? 0) - 2500)).toBeLessThan(150)
    }
  })

  test('affinity stays over processes, reloads and other entries', () => {
    const targets = [targetOf('openai'), targetOf('groq'), targetOf('openai', { model: 'x' })]
    const models = [modelOf('m', targets, { strategy: 'affinity' })]
    const one = createRouter(settingsOf({ upstreams: TWO, models }), depsOf(fakeClock(), seededRandom(1)))
    const other = createRouter(
      settingsOf({
        upstreams: [upstreamOf('new'), ...TWO.toReversed()],
        models: [modelOf('n', targets), modelOf('m', targets.toReversed(), { strategy: 'affinity' })],
      }),
      depsOf(fakeClock(), seededRandom(2)),
    )
    const keys = Array.from({ length: 200 }, (_, number) => `conversation ${number}`)
    expect(keys.map((key) => orderFor(one, 'm', key))).toEqual(keys.map((key) => orderFor(other, 'm', key)))
    expect(new Set(keys.map((key) => orderFor(one, 'm', key)[0])).size).toBe(3)
  })
})

describe('a pool of keys', () => {
  const pool = upstreamOf('pool', { keys: keysOf('k1', 'k2', 'k3') })

  test('takes turns, and each key has a health of its own', () => {
    const router = createRouter(settingsOf({ upstreams: [pool] }), depsOf(fakeClock()))
    expect([0, 1, 2, 3].map(() => orderFor(router, undefined)[0])).toEqual(['pool', 'pool#2', 'pool#3', 'pool'])
    const { deployments } = router.route(undefined)
    expect(deployments.map(({ key, keyIndex }) => [key?.reveal(), keyIndex])).toEqual([
      ['k1', 0],
      ['k2', 1],
      ['k3', 2],
    ])
    expect(new Set(deployments.map(({ health }) => health)).size).toBe(3)
    expect(new Set(deployments.map(({ limiter }) => limiter)).size).toBe(1)
  })

  test('goes on without a key that cools down', () => {
    const router = createRouter(settingsOf({ upstreams: [pool] }), depsOf(fakeClock()))
    router.route(undefined).deployments[1]?.health.begin().answered(429, 1, 1000)
    expect([0, 1, 2].map(() => orderFor(router, undefined)[0])).toEqual(['pool', 'pool#3', 'pool'])
  })

  test.each(['caller', 'none'] as const)('is not used where the auth is %s', (auth) => {
    const router = createRouter(settingsOf({ upstreams: [{ ...pool, auth }] }), depsOf(fakeClock()))
    expect(router.route(undefined).deployments.map(({ key, keyIndex }) => [key?.reveal() ?? 'none', keyIndex])).toEqual(
      [['none', 0]],
    )
  })

  test('of one key is used where the caller may bring its own; without a key there is one deployment without', () => {
    const keyed = createRouter(settingsOf({ upstreams: [upstreamOf('a', { auth: 'either' })] }), depsOf(fakeClock()))
    expect(keyed.route(undefined).deployments.map(({ key }) => key?.reveal())).toEqual(['sk-a'])
    const bare = createRouter(settingsOf({ upstreams: [upstreamOf('a', { keys: [] })] }), depsOf(fakeClock()))
    expect(bare.route(undefined).deployments.map(({ key }) => key ?? 'none')).toEqual(['none'])
  })
})

describe('the route to an upstream', () => {
  const upstreams = [upstreamOf('openai'), upstreamOf('pool', { keys: keysOf('k1', 'k2') })]
  const router = createRouter(settingsOf({ upstreams }), depsOf(fakeClock()))

  test('has all its keys, or the one that is asked for', () => {
    expect(router.routeTo('pool').deployments.map(({ label }) => label)).toEqual(['pool', 'pool#2'])
    expect(router.routeTo('pool', 1).deployments.map(({ label }) => label)).toEqual(['pool#2'])
    expect(router.routeTo('pool', 1).deployments[0]?.health).toBe(
      router.routeTo('pool').deployments[1]?.health ?? never(),
    )
    expect(router.routeTo('pool', 1)).toMatchObject({ model: undefined, resilience: RESILIENCE })
  })

  test('gives way to what is there, where a reload has taken it away', () => {
    expect(router.routeTo('pool', 7)).toBe(router.routeTo('pool'))
    expect(router.routeTo('gone', 1)).toBe(router.route(undefined))
  })
})

describe('health', () => {
  test('belongs to an upstream’s model and key: entries that lead to the same share it, others do not', () => {
    const models = [
      modelOf('a', [targetOf('openai', { model: 'gpt-4o' })]),
      modelOf('gpt-4o', [targetOf('openai')]),
      modelOf('x-*', [targetOf('openai', { model: 'gpt-4o' })]),
      modelOf('b', [targetOf('openai', { model: 'o3' })]),
    ]
    const router = createRouter(settingsOf({ models }), depsOf(fakeClock()))
    const healthOf = (name?: string) => router.route(name).deployments[0]?.health ?? never()
    expect(healthOf('a')).toBe(healthOf('gpt-4o'))
    expect(healthOf('a')).toBe(healthOf('x-1'))
    expect(healthOf('a')).not.toBe(healthOf('b'))
    expect(healthOf('a')).not.toBe(healthOf())
  })

  test('of a wildcard’s target belongs to the upstream’s key, whatever the name', () => {
    const models = [modelOf('gpt-*', [targetOf('openai')]), modelOf('y/*', [targetOf('openai', { model: '*' })])]
    const router = createRouter(settingsOf({ models }), depsOf(fakeClock()))
    const healthOf = (name?: string) => router.route(name).deployments[0]?.health ?? never()
    expect(healthOf('gpt-1')).toBe(healthOf('gpt-2'))
    expect(healthOf('gpt-1')).toBe(healthOf('y/z'))
    expect(healthOf('gpt-1')).toBe(healthOf())
  })
})

describe('the states', () => {
  test('tell of every deployment: what is under way, who waits, how fast it is, and how long it is left alone', () => {
    const clock = fakeClock()
    const limited = upstreamOf('openai', {
      concurrency: { max: 1, queue: 5, queueMs: 0 },
      keys: keysOf('sk-1', 'sk-2'),
    })
    const models = [modelOf('smart', [targetOf('openai', { model: 'gpt-4o' })])]
    const router = createRouter(settingsOf({ upstreams: [limited], models }), depsOf(clock))
    const [first, second] = router.route('smart').deployments
    first?.health.begin().answered(200, 12.4)
    const cooling = second?.health.begin()
    cooling?.answered(429, 5, 1500.5)
    cooling?.ended()
    for (let call = 0; call < 3; call += 1) void first?.limiter.enter(new AbortController().signal)
    const idle = { state: 'closed', in_flight: 0, queued: 2, ttfb_ms: null } as const
    expect(router.states()).toEqual([
      { target: 'openai', ...idle },
      { target: 'openai#2', ...idle },
      { target: 'openai/gpt-4o', ...idle, in_flight: 1, ttfb_ms: 12 },
      { target: 'openai/gpt-4o#2', ...idle, open_for_ms: 1501 },
    ])
    for (let call = 0; call < 3; call += 1) first?.health.begin().failed()
    expect(router.states()[2]).toMatchObject({ state: 'open', open_for_ms: 1000 })
    clock.advance(1000)
    expect(router.states()[2]?.state).toBe('half_open')
    expect(router.states()[2]).not.toHaveProperty('open_for_ms')
    expect(JSON.stringify(router.states())).not.toContain('sk-')
  })
})

test('settings that name an upstream which is not there are a defect, and say which', () => {
  const models = [modelOf('m', [targetOf('gone')])]
  expect(() => createRouter(settingsOf({ models }), depsOf(fakeClock()))).toThrow('gone')
  expect(() => createRouter(settingsOf({ defaultUpstream: 'lost' }), depsOf(fakeClock()))).toThrow('lost')
})

function never(): never {
  throw new Error('there should be one')
}
