import { expect, test } from 'bun:test'
import { createAliasOf } from '../../../../src/routing/targets/alias-names.ts'
import { modelOf, targetOf } from './router-parts.ts'

const named = (
  name: string,
  upstream: string,
  model: string | undefined,
  reportModel: 'alias' | 'upstream' = 'alias',
) => modelOf(name, [targetOf(upstream, { model })], { reportModel })

test('a model is called by the only name that leads to it at its upstream, also with a date behind it', () => {
  const aliasOf = createAliasOf([
    named('smart', 'a', 'gpt-4o'),
    named('fast', 'b', 'gpt-4o'),
    named('small', 'a', 'o3'),
  ])
  for (const [upstream, model, alias] of [
    ['a', 'gpt-4o', 'smart'],
    ['b', 'gpt-4o', 'fast'],
    ['a', 'gpt-4o-2024-08-06', 'smart'],
    ['a', 'o3-20250929', 'small'],
    ['a', 'gpt-4o-0613', 'smart'],
    ['a', 'gpt-4o-mini', undefined],
    ['a', 'gpt-4', undefined],
    ['c', 'gpt-4o', undefined],
  ] as const) {
    expect([upstream, model, aliasOf?.(upstream, model)]).toEqual([upstream, model, alias])
  }
})

test('a model that two names lead to, or one whose answers give the upstream’s name, keeps its own', () => {
  const aliasOf = createAliasOf([
    named('smart', 'a', 'gpt-4o'),
    named('clever', 'a', 'gpt-4o'),
    named('plain', 'a', 'o3', 'upstream'),
    named('gpt-*', 'a', 'llama'),
    named('llama', 'a', undefined, 'upstream'),
  ])
  for (const model of ['gpt-4o', 'o3', 'llama']) expect(aliasOf?.('a', model)).toBeUndefined()
})

test('a name with * is filled with what the target’s * stands for, behind those without', () => {
  const aliasOf = createAliasOf([named('my-*', 'a', 'gpt-*'), named('best', 'a', 'gpt-5'), named('x/*', 'b', '*')])
  expect(['gpt-4o', 'gpt-5', 'o3'].map((model) => aliasOf?.('a', model))).toEqual(['my-4o', 'best', undefined])
  expect(aliasOf?.('b', 'llama')).toBe('x/llama')
})

test('there is nothing to look up where no answer gives an alias', () => {
  expect(createAliasOf([named('smart', 'a', 'gpt-4o', 'upstream')])).toBeUndefined()
  expect(createAliasOf([])).toBeUndefined()
})
