import { expect, test } from 'bun:test'
import { OPENAI_WORDS } from '../../../src/config/providers/cap-words.ts'
import { valuesReadBy } from '../../../src/params/values-read.ts'
import { type RuleParts, rulesOf } from './rule-programs.ts'

const WATCHED = ['a', 'b', 'tools', 'messages', 'prompt', 'max_tokens', 'extra_body', '__proto__'] as const
const ALWAYS = ['extra_body', '__proto__']
/** A rule for any parameter may be about a cap on tokens by another of its words. */
const CAP = 'max_tokens'

test.each<readonly [string, RuleParts, readonly string[]]>([
  ['deny', { deny: ['a', 'tools', 'messages'] }, []],
  ['allow', { allow: ['a', 'tools', 'messages'] }, []],
  ['drop', { drop: ['a', 'tools'] }, []],
  ['require', { require: ['a', 'messages'] }, []],
  ['a path into a parameter', { deny: ['a.x'], allow: ['b.x'] }, ['a', 'b']],
  ['rename', { rename: { a: 'b' } }, ['a', 'b']],
  ['defaults', { defaults: { a: 1 } }, ['a']],
  ['overrides', { overrides: { a: 1, messages: [] } }, ['a', 'messages']],
  ['clamp', { clamp: { a: { min: 0, max: 1 } } }, ['a']],
  ['a cap, which is for all prompts', { clamp: { max_tokens: { min: undefined, max: 1 } } }, ['prompt']],
  ['values', { values: { a: ['x'] } }, ['a']],
])('of a long body the values are read that a rule depends on: %s', (_, rule, names) => {
  const read = valuesReadBy(rulesOf(rule), OPENAI_WORDS)
  const found: readonly string[] = WATCHED.filter((name) => read.has(name)).toSorted()
  expect(found).toEqual([...names, ...ALWAYS, CAP].toSorted())
})

test('without rules no value is read', () => {
  expect(valuesReadBy([], OPENAI_WORDS).size).toBe(0)
})
