import { expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import type { ParamRule } from '../../../src/config/sections/params/param-rule.ts'
import type { Json } from '../../../src/formats/json/json.ts'
import { type Member, membersOf } from '../../../src/formats/json/members.ts'
import { bytesOf, JSON_TEXT, memberText, textOf } from '../formats/json/json-texts.ts'
import { applied, orError, programOf, type RuleParts } from './rule-programs.ts'

// Many runs each, on a machine that may be busy.
setDefaultTimeout(60_000)

const RUNS = { numRuns: 1500 }
const CAPS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']
/** In this order: each is renamed only to later ones, so that there is no circle. */
const TOP = ['a', 'b', 'c', 'o', 'p', '__proto__', ...CAPS]
const INNER = ['x', 'y', 'z']
const PATHS = [...TOP, ...['o', 'p'].flatMap((outer) => INNER.map((inner) => `${outer}.${inner}`)), 'o.x.y', 'o.x.z']

const path = fc.constantFrom(...PATHS)
const number = fc.constantFrom(0, 1, 5, 50, 70.5)
const object = fc.constantFrom<Json>({}, { x: 5 }, { x: { y: 1 }, y: 'k' }, { y: null }, { x: {}, z: [{}] })
const anything = fc.oneof(number, fc.constantFrom<Json>('k', null, true, []), object)

/** A path, and a value that is of the right kind often enough for the rest of the rules to have their turn. */
const setting = path.chain((name) => fc.tuple(fc.constant(name), valueFor(name, number, object, anything)))

function valueFor<T>(name: string, numeric: fc.Arbitrary<T>, composed: fc.Arbitrary<T>, any: fc.Arbitrary<T>) {
  if (CAPS.includes(name) || name === 'a' || name === 'p.x') return fc.oneof({ weight: 20, arbitrary: numeric }, any)
  return name === 'o' || name === 'p' || name === 'o.x' ? fc.oneof({ weight: 20, arbitrary: composed }, any) : any
}

/** Unlike a dictionary's, these records have `__proto__` for a name like any other. */
function recordOf<T>(entry: fc.Arbitrary<readonly [string, T]>): fc.Arbitrary<Record<string, T>> {
  return fc.array(entry, { maxLength: 2 }).map((entries) => Object.fromEntries(entries) as Record<string, T>)
}

const rename = fc.tuple(fc.nat(), fc.nat(), fc.boolean()).map(([one, other, isInner]) => {
  const [names, prefix] = isInner ? [INNER, 'o.'] : [TOP, '']
  const from = one % (names.length - 1)
  const to = from + 1 + (other % (names.length - 1 - from))
  return [`${prefix}${names[from]}`, `${prefix}${names[to]}`] as const
})

const range = fc.tuple(fc.option(number, { nil: undefined }), number).map(([one, other]) => {
  return one === undefined ? { min: undefined, max: other } : { min: Math.min(one, other), max: Math.max(one, other) }
})

const choices = path.chain((name) => {
  return fc.tuple(fc.constant(name), fc.array(valueFor(name, number, object, anything), { minLength: 2, maxLength: 4 }))
})

const paths = fc.array(path, { maxLength: 2 })

function seldom<T>(arbitrary: fc.Arbitrary<T>, otherwise: T, weight = 3): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: fc.constant(otherwise) }, arbitrary)
}

const rule: fc.Arbitrary<RuleParts> = fc.record({
  defaults: seldom(recordOf(setting), {}, 1),
  overrides: seldom(recordOf(setting), {}, 2),
  clamp: seldom(recordOf(fc.tuple(fc.constantFrom(...CAPS, 'a', 'p.x'), range)), {}, 2),
  drop: seldom(paths, []),
  rename: seldom(recordOf(rename), {}),
  require: seldom(paths, [], 20),
  deny: seldom(paths, []),
  allow: seldom<readonly string[] | undefined>(fc.uniqueArray(path, { minLength: 6 }), undefined, 8),
  values: seldom(recordOf(choices), {}),
  onViolation: seldom<ParamRule['onViolation']>(fc.constant('refuse'), 'drop', 5),
})
const ruleSet = fc.array(rule, { minLength: 1, maxLength: 4 })

/** An object as the text of a value, whose names the rules know. */
function innerText(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...INNER, 'v'), inner), { maxLength: 3, selector: ([name]) => name })
    .map((members) => `{${members.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`)
}

const numberText = fc.constantFrom('5', '1.0', '70', '99', '1e400', 'null', '-0')
const objectText = fc.oneof(innerText(fc.oneof(numberText, innerText(JSON_TEXT))), fc.constant('null'))
const names = fc.uniqueArray(fc.constantFrom(...TOP, 'u', 'v', 'w'), { maxLength: 7 })
const memberOf = (name: string): fc.Arbitrary<string> =>
  memberText(valueFor(name, numberText, objectText, fc.oneof(JSON_TEXT, numberText, objectText)), [name], 20)

/** A body whose names are often those of the rules, and now and then occur twice. */
const bodyText = fc
  .tuple(
    names.chain((list) => fc.tuple(...list.map(memberOf))),
    seldom(fc.array(memberText(JSON_TEXT, ['u', 'v', 'w'])), [], 1),
  )
  .map(([members, others]) => `{${[...members, ...others].join(',')}}`)

const requests = fc.record({ rules: ruleSet, body: bodyText })

function apply(rules: readonly RuleParts[], body: string): string | undefined {
  const result = orError(() => applied(programOf(...rules), body).text)
  return typeof result === 'string' ? result : undefined
}

test('what goes out is JSON, and says that nothing was done just where nothing changed', () => {
  fc.assert(
    fc.property(requests, ({ rules, body }) => {
      const result = orError(() => applied(programOf(...rules), body))
      if (!('edits' in result)) return
      expect(() => JSON.parse(result.text)).not.toThrow()
      expect(result.receipt === '').toBe(result.edits.length === 0)
      expect(result.steps.length === 0).toBe(result.edits.length === 0)
      expect(result.receipt).toMatch(/^[ -~]*$/)
      if (result.edits.length > 0) expect(result.text).not.toBe(body)
    }),
    RUNS,
  )
})

test('members that no rule names keep their bytes and their order', () => {
  fc.assert(
    fc.property(requests, ({ rules, body }) => {
      const result = apply(rules, body)
      if (result === undefined) return
      const [before, after] = [unnamedMembers(body, rules), unnamedMembers(result, rules)]
      if (rules.every(({ allow }) => allow === undefined)) expect(after).toEqual(before)
      else expect(isSubsequence(after, before)).toBe(true)
    }),
    RUNS,
  )
})

/** A cap that is null counts as absent: the next time, the named one would be put in beside it. */
const CAP_SET_TO_NULL = {
  rules: [{ overrides: { max_output_tokens: null } }],
  body: '{"max_completion_tokens":5}',
}

test('applying the rules to what they have made changes nothing more', () => {
  fc.assert(
    fc.property(requests, ({ rules, body }) => {
      const once = apply(rules, body)
      const twice = once === undefined ? undefined : apply(rules, once)
      if (twice !== undefined) expect(twice).toBe(once ?? '')
    }),
    { numRuns: 4000, examples: [[CAP_SET_TO_NULL]] },
  )
})

test('no cap on tokens ever goes out above the lowest maximum', () => {
  fc.assert(
    fc.property(requests, number, ({ rules, body }, max) => {
      const capped = [...rules, { clamp: { max_tokens: { min: undefined, max } } }]
      const result = apply(capped, body)
      if (result === undefined) return
      const sent: unknown = JSON.parse(result)
      for (const { key } of membersOf(bytesOf(result))) {
        const cap = Object(sent)[key] as unknown
        if (CAPS.includes(key) && cap !== null) expect(cap).toBeLessThanOrEqual(max)
      }
    }),
    RUNS,
  )
})

test('a name that a rule names goes out at most once', () => {
  fc.assert(
    fc.property(requests, ({ rules, body }) => {
      const result = apply(rules, body)
      if (result === undefined) return
      const keys = membersOf(bytesOf(result)).map(({ key }) => key)
      const named = namesIn(rules)
      for (const name of keys) {
        if (named.has(name)) expect(keys.filter((key) => key === name)).toHaveLength(1)
      }
    }),
    RUNS,
  )
})

/** The outermost names of all paths. */
function namesIn(rules: readonly RuleParts[]): Set<string> {
  const paths = rules.flatMap((one) => [
    ...[one.defaults, one.overrides, one.clamp, one.rename, one.values].flatMap((record) => Object.keys(record ?? {})),
    ...Object.values(one.rename ?? {}),
    ...[one.drop, one.require, one.deny, one.allow].flatMap((list) => list ?? []),
  ])
  const names = paths.map((one) => one.split('.')[0] ?? '')
  return new Set(names.some((name) => CAPS.includes(name)) ? [...names, ...CAPS] : names)
}

function unnamedMembers(text: string, rules: readonly RuleParts[]): string[] {
  const bytes = bytesOf(text)
  const named = namesIn(rules)
  const textAt = ({ keyStart, keyEnd, valueStart, valueEnd }: Member): string =>
    `${textOf(bytes.subarray(keyStart, keyEnd))}:${textOf(bytes.subarray(valueStart, valueEnd))}`
  return membersOf(bytes)
    .filter(({ key }) => !named.has(key))
    .map(textAt)
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0
  for (const one of whole) if (one === part[at]) at += 1
  return at === part.length
}
