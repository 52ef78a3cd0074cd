import { describe, expect, test } from 'bun:test'
import type { ParamRule } from '../../../src/config/sections/params/param-rule.ts'
import { createRules, type RequestFacts } from '../../../src/params/rules.ts'
import { applied, FACTS, programOf, rulesOf } from './rule-programs.ts'

type Match = Partial<ParamRule['match']>

const HEADERS = { headers: new Headers({ 'x-team': 'red-1', 'x-key': 'secret' }) }

function mismatch(match: Match, facts: Partial<RequestFacts> = {}): string | undefined {
  const rules = createRules(rulesOf({ match, drop: ['a'] }))
  const all = { ...FACTS, ...facts }
  const [judged] = rules.judge(all)
  expect(rules.match(all) !== undefined).toBe(judged?.mismatch === undefined)
  return judged?.mismatch
}

describe('a rule matches', () => {
  test.each<[Match, Partial<RequestFacts>]>([
    [{}, {}],
    [{}, { model: undefined }],
    [{ model: ['o1', 'gpt-*'] }, {}],
    [{ model: ['*'] }, { model: '' }],
    [{ endpoint: ['chat/completions'] }, {}],
    [{ endpoint: ['audio/*', 'chat/*'] }, {}],
    [{ principal: ['caller', 'token'] }, {}],
    [{ principal: ['token-1'] }, {}],
    [{ principal: ['local'] }, { principal: { kind: 'local', id: undefined } }],
    [{ header: { 'x-team': 'red*', 'x-key': '*' } }, HEADERS],
    [{ model: ['gpt-4o'], endpoint: ['chat/*'], principal: ['token'], header: { 'x-team': 'red-1' } }, HEADERS],
  ])('with %p: %p', (match, facts) => {
    expect(mismatch(match, facts)).toBeUndefined()
  })
})

describe('a rule does not match, and says why', () => {
  test.each<[string, Match, Partial<RequestFacts>]>([
    ['model gpt-4o does not fit o1, gpt-4', { model: ['o1', 'gpt-4'] }, {}],
    ['no model is named, where * is wanted', { model: ['*'] }, { model: undefined }],
    ['endpoint chat/completions does not fit audio/*', { endpoint: ['audio/*'] }, {}],
    ['endpoint chat/completions does not fit chat', { endpoint: ['chat'] }, {}],
    ['principal token-1 does not fit local, token-2', { principal: ['local', 'token-2'] }, {}],
    ['principal local does not fit token', { principal: ['token'] }, { principal: { kind: 'local', id: undefined } }],
    ['header x-team is missing', { header: { 'x-team': '*' } }, {}],
    ['header x-key does not fit public*', { header: { 'x-team': 'red*', 'x-key': 'public*' } }, HEADERS],
  ])('%s', (reason, match, facts) => {
    expect(mismatch(match, facts)).toBe(reason)
  })
})

describe('rules', () => {
  test('that match are applied together, with their numbers', () => {
    const rules = createRules(
      rulesOf(
        { match: { model: ['gpt-*'] }, drop: ['a'] },
        { match: { model: ['o1'] }, drop: ['b'] },
        { match: { endpoint: ['chat/*'] }, drop: ['c'] },
      ),
    )
    const program = rules.match(FACTS)
    expect(program?.rules).toEqual([1, 3])
    expect(rules.match(FACTS)).toBe(program)
    expect(rules.match({ ...FACTS, model: 'gpt-5' })).toBe(program)
    expect(rules.match({ ...FACTS, model: 'o1' })?.rules).toEqual([2, 3])
    expect(rules.match({ ...FACTS, model: 'o1', endpoint: 'x' })?.rules).toEqual([2])
    expect(rules.match({ ...FACTS, model: undefined, endpoint: 'x' })).toBeUndefined()
  })

  test('of none never match', () => {
    const rules = createRules([])
    expect([rules.match(FACTS), rules.mayMatch(FACTS), rules.judge(FACTS)]).toEqual([undefined, false, []])
  })

  test('may match before the model is known where all else fits', () => {
    const rules = createRules(
      rulesOf({ match: { model: ['x'], endpoint: ['audio/*'], header: { 'x-team': 'red*' } }, drop: ['a'] }),
    )
    expect(rules.mayMatch({ ...FACTS, ...HEADERS, endpoint: 'audio/speech' })).toBe(true)
    expect(rules.mayMatch({ ...FACTS, ...HEADERS })).toBe(false)
    expect(rules.mayMatch({ ...FACTS, endpoint: 'audio/speech' })).toBe(false)
  })

  test('are not mixed up by what was found for other requests, however many there were', () => {
    const rules = createRules(
      rulesOf(
        { match: { model: ['m-1*'], header: { 'x-team': 'red*' } }, drop: ['a'] },
        { match: { principal: ['p 2', 'undefined'] }, drop: ['b'] },
      ),
    )
    const long = 'x'.repeat(300)
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 1500; index += 1) {
        const facts = { ...FACTS, ...(index % 2 === 0 ? HEADERS : {}), model: `m-${index}` }
        expect(rules.match(facts)?.rules).toEqual(index % 2 === 0 && `${index}`.startsWith('1') ? [1] : undefined)
      }
      expect(rules.match({ ...FACTS, ...HEADERS, model: `m-1${long}` })?.rules).toEqual([1])
      expect(rules.match({ ...FACTS, ...HEADERS, model: `m-2${long}` })).toBeUndefined()
      expect(rules.match({ ...FACTS, principal: { kind: 'p', id: '2' } })).toBeUndefined()
      expect(rules.match({ ...FACTS, principal: { kind: 'p', id: undefined } })).toBeUndefined()
      expect(rules.match({ ...FACTS, principal: { kind: 'p', id: 'undefined' } })?.rules).toEqual([2])
      expect(rules.match({ ...FACTS, principal: { kind: 'p 2', id: undefined } })?.rules).toEqual([2])
    }
  })
})

describe('what was done', () => {
  test('is told by operation, and rule by rule', () => {
    const program = programOf(
      { overrides: { user: 'shared' }, rename: { max_tokens: 'max_completion_tokens' } },
      { defaults: { temperature: 0.7 }, clamp: { max_tokens: { min: undefined, max: 1500 } }, drop: ['a', 'o.x'] },
      { values: { v: [1] }, deny: ['d'], allow: ['max_tokens', 'a', 'o', 'v', 'd'], onViolation: 'drop' },
    )
    const {
      receipt: done,
      steps,
      text,
    } = applied(program, '{"max_tokens":5000,"a":[1],"o":{"x":null},"v":"2","d":true,"é,":{}}')
    expect(JSON.parse(text)).toEqual({ max_completion_tokens: 1500, o: {}, user: 'shared', temperature: 0.7 })
    expect(done).toBe(
      'deny=d; allow=%C3%A9%2C; rename=max_tokens; drop=a,o.x; defaults=temperature; overrides=user; clamp=max_completion_tokens; values=v',
    )
    expect(steps.map(({ rule, operation, param, detail }) => `${rule} ${operation} ${param}: ${detail}`)).toEqual([
      '1 rename max_tokens: now max_completion_tokens',
      "1 overrides user: set to 'shared'",
      '2 drop a: removed: was an array',
      '2 drop o.x: removed: was null',
      '2 defaults temperature: set to 0.7',
      '2 clamp max_completion_tokens: 5000 → 1500',
      '3 deny d: removed: was true',
      '3 allow é,: removed: was an object',
      "3 values v: removed: was '2'",
    ])
  })

  test('is nothing where nothing changes, or the new name is there already', () => {
    expect(applied(programOf({ defaults: { a: 1 } }), '{"a":2}')).toMatchObject({ edits: [], receipt: '', steps: [] })
    expect(applied(programOf({ defaults: { a: null, b: 1 } }), '{"a":null}').receipt).toBe('defaults=b')
    const renamed = applied(programOf({ rename: { a: 'b' } }), '{"a":1,"b":2}')
    expect(renamed.steps).toEqual([
      { rule: 1, operation: 'rename', param: 'a', detail: 'removed: the new name is there, too' },
    ])
  })

  test('stays within about a kilobyte of visible ASCII', () => {
    const names = Array.from({ length: 200 }, (_, index) => `\ud800 name ${index}`)
    const { receipt: done } = applied(
      programOf({ allow: [], onViolation: 'drop' }),
      JSON.stringify(Object.fromEntries(names.map((name) => [name, 1]))),
    )
    expect(done).toMatch(/^allow=[!-~]+\.\.\.$/)
    expect(done).toHaveLength(1003)
  })
})
