import { expect, test } from 'bun:test'
import { restKey, warnOfKey } from '../../../../src/routing/attempts/warn-of-key.ts'
import { createRouter } from '../../../../src/routing/targets/router.ts'
import { keysOf } from '../../../helpers/secrets.ts'
import { depsOf, fakeClock, settingsOf, upstreamOf } from '../targets/router-parts.ts'

function keyed() {
  const keys = { keys: keysOf('sk-one', 'sk-two'), keyNames: ['FIRST_KEY'] }
  const router = createRouter(settingsOf({ upstreams: [upstreamOf('a', keys)] }), depsOf(fakeClock()))
  const warnings: (readonly [object, string])[] = []
  const log = { warn: (fields: object, text: string) => void warnings.push([fields, text]) } as never
  return { deployments: router.route(undefined).deployments, warnings, log }
}

test('a key that begins to rest is one warning, with its name or its number, and never with the key', () => {
  const { deployments, warnings, log } = keyed()
  for (const deployment of deployments) restKey(deployment, { status: 401, isSpent: false }, log)
  expect(warnings).toMatchObject([
    [
      { upstream: 'a', key: 'FIRST_KEY', status: 401, rests_ms: expect.any(Number) },
      expect.stringContaining('refused'),
    ],
    [{ upstream: 'a', key: '#2', status: 401 }, expect.any(String)],
  ])
  expect(JSON.stringify(warnings)).not.toContain('sk-')
})

test('a key that rests already is not told of again', () => {
  const { deployments, warnings, log } = keyed()
  const [deployment] = deployments
  if (deployment === undefined) throw new Error('There is one.')
  for (let n = 0; n < 3; n += 1) restKey(deployment, { status: 401, isSpent: false }, log)
  expect(warnings).toHaveLength(1)
  warnOfKey(deployment, { status: 401, restMs: undefined, isSpent: false }, log)
  expect(warnings).toHaveLength(1)
})

test('resting a key leaves no call under way', () => {
  const { deployments, log } = keyed()
  const [deployment] = deployments
  if (deployment === undefined) throw new Error('There is one.')
  restKey(deployment, { status: 402, isSpent: true }, log)
  expect(deployment.health.inFlight()).toBe(0)
})

test('a key without money is told of in other words: nobody need look for a wrong one', () => {
  const { deployments, warnings, log } = keyed()
  for (const deployment of deployments) restKey(deployment, { status: 429, isSpent: true }, log)
  expect(warnings[0]?.[1]).toContain('nothing left to spend')
})
