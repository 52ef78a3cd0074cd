import { describe, expect, test } from 'bun:test'
import type { Env } from '../../../../src/config/env-reader.ts'
import { linesOf, loadGood, variable } from '../load-file.ts'

/** A variable as it is written. */
const NAME = variable('NAME')
const WITH_DEFAULT = variable('NAME:-other')

/** What a text of a file comes to, seen at a parameter that takes any value. */
function comesTo(text: string, env: Env = {}): unknown {
  return loadGood(`params: [{ overrides: { x: ${JSON.stringify(text)} } }]`, env).params[0]?.overrides['x']
}

describe('a variable', () => {
  test.each<[text: string, env: Env, value: string]>([
    [NAME, { NAME: 'value' }, 'value'],
    [`a ${NAME}-${NAME} b`, { NAME: 'value' }, 'a value-value b'],
    [NAME, { NAME: ' value ' }, 'value'],
    [NAME, { NAME: '' }, ''],
    [WITH_DEFAULT, {}, 'other'],
    [WITH_DEFAULT, { NAME: '' }, 'other'],
    [WITH_DEFAULT, { NAME: 'value' }, 'value'],
    [variable('NAME:-'), {}, ''],
    [variable('NAME:-a b:-c'), {}, 'a b:-c'],
    [NAME, { NAME_FILE: '/run/key' }, 'sk-mounted'],
    [NAME, { NAME: '', NAME_FILE: '/run/key' }, 'sk-mounted'],
    [NAME, { NAME: 'value', NAME_FILE: '/run/key' }, 'value'],
    [WITH_DEFAULT, { NAME_FILE: '/run/key' }, 'sk-mounted'],
    [NAME, { NAME: variable('OTHER') }, variable('OTHER')],
    [`$${NAME}`, { NAME: 'value' }, NAME],
    [`$$${NAME}`, { NAME: 'value' }, `$${NAME}`],
    ['$NAME and 5$', { NAME: 'value' }, '$NAME and 5$'],
    [NAME, { NAME: '5' }, '5'],
  ])('%j with %j is %j', (text, env, value) => {
    expect(comesTo(text, env)).toBe(value)
  })

  test('in a key stays as it is', () => {
    const { params } = loadGood(`params: [{ overrides: { "${NAME}": 1 } }]`, { NAME: 'value' })
    expect(params[0]?.overrides).toEqual({ [NAME]: 1 })
  })

  test('without quotes stays a text where any value may stand', () => {
    const { params } = loadGood(`params:\n  - overrides:\n      x: ${NAME}\n`, { NAME: '5' })
    expect(params[0]?.overrides).toEqual({ x: '5' })
  })

  test.each<[text: string, env: Env, wrong: string]>([
    [
      NAME,
      {},
      `names the variable NAME, which is not set | Set NAME (or NAME_FILE), or write ${variable('NAME:-…')} with what is to stand in its place.`,
    ],
    [
      `${NAME} ${variable('OTHER')}`,
      { OTHER: 'secret' },
      `names the variable NAME, which is not set | Set NAME (or NAME_FILE), or write ${variable('NAME:-…')} with what is to stand in its place.`,
    ],
    [
      NAME,
      { NAME_FILE: '/etc/blank' },
      'names the variable NAME, whose file (NAME_FILE) is empty | Write the value into it.',
    ],
    [
      NAME,
      { NAME_FILE: '/absent' },
      'names the variable NAME, whose file (NAME_FILE) cannot be read: there is no such file or folder (ENOENT) | Check the path, and that the secret is mounted; it takes the path of a file, not the value itself.',
    ],
    ...['{', '{}', '{1}', '{A', '{A-b}'].map((tail): [string, Env, string] => [
      `$${tail}`,
      { A: 'secret' },
      `has a $${'{'} that begins no variable | Write ${NAME} or ${variable('NAME:-default')}; and $$${'{'} where a literal $${'{'} is meant.`,
    ]),
  ])('%j with %j is refused', (text, env, wrong) => {
    expect(linesOf(`pins: { files: ${JSON.stringify(text)} }`, env)).toEqual([`1:16 pins.files ${wrong}`])
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'that is called like what every object has is not set: %s',
    (name) => {
      expect(linesOf(`pins: { files: "${variable(name)}" }`, {})[0]).toContain(
        `names the variable ${name}, which is not set`,
      )
      expect(comesTo(variable(`${name}:-x`))).toBe('x')
    },
  )

  test('that is not set brings no other problem about what it stands for', () => {
    const text = `default_upstream: ${NAME}
retry: { attempts: "${NAME}", on: ["${NAME}"] }
timeouts: { total: "${NAME}" }
upstreams:
  a: { preset: openai, api_key: "${NAME}" }
  b: { base_url: "${NAME}", auth: "${NAME}" }
  c: "${NAME}"
models: { m: { targets: [{ upstream: "${NAME}" }, { upstream: c }] } }
params: [{ defaults: { x: ["${NAME}"], y: { z: "${NAME}" } } }, { drop: ["${NAME}"] }]
`
    const problems = linesOf(text)
    expect(problems).toHaveLength(12)
    for (const problem of problems) expect(problem).toContain('names the variable NAME, which is not set')
  })
})

describe('a text with a variable in it', () => {
  test.each<[text: string, env: Env]>([
    [`retry: { attempts: "${NAME}" }`, { NAME: '2' }],
    [`retry:\n  attempts: ${NAME}\n`, { NAME: '2' }],
    [`retry:\n  attempts: ${variable('NAME:-2')}\n`, {}],
    [`{"retry": {"attempts": "${NAME}"}}`, { NAME: '2' }],
  ])('becomes a number where one is wanted: %j', (text, env) => {
    expect(loadGood(text, env).resilience.retry.attempts).toBe(2)
  })

  test('becomes a number with a fraction, a length of time, a status or a word, as is wanted', () => {
    const text = `retry: { on: ["${NAME}", "${variable('STATUS')}"], base: "${variable('MS')}", max: "${variable('S')}s" }
params: [{ clamp: { x: { min: "${variable('MIN')}" } } }]`
    const { resilience, params } = loadGood(text, { NAME: 'reset', STATUS: '503', MS: '70', S: '2', MIN: '-0.5' })
    expect(resilience.retry).toMatchObject({ on: ['reset', 503], baseMs: 70, maxMs: 2_000 })
    expect(params[0]?.clamp).toEqual({ x: { min: -0.5, max: undefined } })
  })

  test.each([
    ['true', true],
    ['off', false],
    ['1', true],
  ])('becomes true or false where that is wanted: %s', (value, expected) => {
    expect(loadGood(`client_deadline: ${NAME}`, { NAME: value }).clientDeadline).toBe(expected)
  })

  test('switches off what false switches off', () => {
    const { resilience } = loadGood(`hedge: ${NAME}`, { NAME: 'false' })
    expect(resilience.hedge).toBeUndefined()
    expect(linesOf(`hedge: ${NAME}`, { NAME: 'true' })).toEqual([
      '1:8 hedge is not false or a map | Write false or a map.',
    ])
  })

  test.each<[text: string, problem: string]>([
    [
      `retry: { attempts: "${NAME}" }`,
      '1:20 retry.attempts is not a whole number from 1 to 10 | Write a whole number from 1 to 10, such as 3.',
    ],
    [
      `timeouts: { total: "${NAME}" }`,
      '1:20 timeouts.total is not a length of time | Use milliseconds, or a whole number with ms, s, m or h.',
    ],
    [`unknown_models: ${NAME}`, '1:17 unknown_models is not known here | Known here: pass, refuse.'],
    [`default_upstream: ${NAME}`, '1:19 default_upstream is no upstream | Known here: api.openai.com.'],
    [`client_deadline: ${NAME}`, '1:18 client_deadline is not true or false | Write true or false.'],
  ])('is not shown where it is wrong: %j', (text, problem) => {
    expect(linesOf(text, { NAME: 'canary' })).toEqual([problem])
  })

  test('that is a number out of range is not shown', () => {
    expect(linesOf(`retry: { attempts: "${NAME}" }`, { NAME: '123456' })).toEqual([
      '1:20 retry.attempts is out of range | Use a whole number from 1 to 10.',
    ])
  })
})

test('a variable that is not set, but is like one that is, is told of with the one that was meant', () => {
  const env = { OPENAI_API_KEY: 'sk-secret', HOME: '/root' }
  const [line] = linesOf(`upstreams: { a: { base_url: "http://a/v1", api_key: "${variable('OPENAI_APIKEY')}" } }`, env)
  expect(line).toContain('Did you mean OPENAI_API_KEY? Set OPENAI_APIKEY')
  expect(line).not.toContain('sk-secret')
})
