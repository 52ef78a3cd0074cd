import { expect, test } from 'bun:test'
import type { Settings } from '../../../src/config/settings.ts'
import { createSnapshot, type Snapshot } from '../../../src/routing/snapshot.ts'
import { keysOf } from '../../helpers/secrets.ts'
import { rulesOf } from '../params/rule-programs.ts'
import { depsOf, fakeClock, modelOf, settingsOf, targetOf, upstreamOf } from './targets/router-parts.ts'

const snapshotOf = (settings: Partial<Settings>, previous?: Snapshot): Snapshot =>
  createSnapshot(settingsOf(settings), depsOf(fakeClock()), previous)

type Flag = 'needsModel' | 'modelsDecide' | 'restricts' | 'readsBodies' | 'remembersIds' | 'mayLoop' | 'fitsBodies'

function flagsOf(settings: Partial<Settings>): readonly Flag[] {
  const snapshot = snapshotOf(settings)
  const flags: readonly Flag[] = [
    ...(['needsModel', 'modelsDecide', 'restricts', 'readsBodies', 'remembersIds', 'mayLoop', 'fitsBodies'] as const),
  ]
  return flags.filter((flag) => snapshot[flag])
}

const OPENAI = upstreamOf('openai', { baseUrl: 'https://api.openai.com/v1' })
const MODELS = [modelOf('smart', [targetOf('openai', { model: 'gpt-4o' })])]

test.each<readonly [string, Partial<Settings>, readonly Flag[]]>([
  ['one upstream alone', {}, []],
  ['a server that may be this one', { upstreams: [upstreamOf('a')] }, ['mayLoop']],
  ['two upstreams', { upstreams: [OPENAI, { ...OPENAI, name: 'b' }] }, ['readsBodies', 'remembersIds']],
  ['two keys', { upstreams: [{ ...OPENAI, keys: keysOf('1', '2') }] }, ['readsBodies', 'remembersIds']],
  ['a list of models', { models: MODELS }, ['needsModel', 'modelsDecide', 'restricts', 'readsBodies']],
  ['unknown models refused', { unknownModels: 'refuse' }, ['needsModel', 'modelsDecide', 'restricts', 'readsBodies']],
  ['a rule for all', { params: rulesOf({ drop: ['user'] }) }, ['restricts', 'readsBodies']],
  [
    'a rule for a model',
    { params: rulesOf({ match: { model: ['gpt-*'] }, drop: ['user'] }) },
    ['needsModel', 'modelsDecide', 'restricts', 'readsBodies'],
  ],
  [
    'a template for paths',
    { upstreams: [{ ...OPENAI, modelPath: '/d/{model}{path}' }] },
    ['needsModel', 'readsBodies'],
  ],
])('with %s no more is read of requests than has to be', (_what, settings, flags) => {
  const own = settings.upstreams === undefined ? { upstreams: [OPENAI], ...settings } : settings
  expect(flagsOf(own)).toEqual([...flags])
})

test('a model that is called by its alias in answers has ids remembered, by which the name is known later', () => {
  const models = [modelOf('smart', [targetOf('openai', { model: 'gpt-4o' })], { reportModel: 'alias' })]
  const { aliasOf, remembersIds, readsBodies } = snapshotOf({ upstreams: [OPENAI], models })
  expect([aliasOf !== undefined, remembersIds, readsBodies]).toEqual([true, true, true])
  expect(snapshotOf({ upstreams: [OPENAI], models: MODELS }).aliasOf).toBeUndefined()
})

test('where no model decides anything, none is refused for its spelling', () => {
  expect(snapshotOf({ upstreams: [OPENAI] }).assertSpelling).toBeUndefined()
  expect(snapshotOf({ upstreams: [OPENAI], models: MODELS }).assertSpelling).toBeDefined()
})

test('a completion without a model is OpenAI’s own default where OpenAI is asked, and another server’s choice elsewhere', () => {
  const assumed = (vendor: 'openai' | undefined) => snapshotOf({ upstreams: [{ ...OPENAI, vendor }] }).assumedModel
  expect([typeof assumed('openai'), assumed(undefined)]).toEqual(['string', undefined])
})

test('a way out is made once for each upstream, and for one that is not in the file when it is asked for', () => {
  const upstream = upstreamOf('a')
  const { egressOf } = snapshotOf({ upstreams: [upstream] })
  expect(egressOf(upstream)).toBe(egressOf(upstream))
  const other = upstreamOf('b')
  expect(egressOf(other).locate('/v1/models').url.href).toBe('https://b.example/v1/models')
})

test('what goes on under the settings before keeps its state', () => {
  const settings = { upstreams: [upstreamOf('a')] }
  const before = snapshotOf(settings)
  const call = before.router.route(undefined).deployments[0]?.health.begin('server', true)
  const after = snapshotOf(settings, before)
  expect(after.router.route(undefined).deployments[0]?.health.inFlight()).toBe(1)
  call?.ended()
  expect(after.router.route(undefined).deployments[0]?.health.inFlight()).toBe(0)
})
