import { describe, expect, test } from 'bun:test'
import { syntaxFault } from '../../../../src/config/file/syntax-fault.ts'
import { cpuMs } from '../../../helpers/cpu-time.ts'
import { linesOf, load, loadGood, problemsOf, variable } from '../load-file.ts'

const QUOTES = `Put quotes around the value; around ${variable('NAME')}, too, where it stands within { } or [ ].`
const NEW_LINE = 'Begin a new line for each key, in the column of the others; put a text with ": " in it in quotes.'

describe('a text that is no YAML', () => {
  test.each([
    [`a: { b: ${variable('KEY')} }`, `1:10  has something here that does not belong here | ${QUOTES}`],
    [
      'retry: [1, 2\nb: 3',
      '2:1  has a line that is not indented as it has to be | Let keys of one map begin in one column, and close every [ and {.',
    ],
    ['retry:\n\tattempts: 1', '2:1  is indented with a tab here | Use spaces: YAML knows no tabs there.'],
    ['retry: 1\n b: 2', `1:8  has a second key on one line, or a line that is indented by mistake | ${NEW_LINE}`],
    [
      'pins: { files: "x }',
      '1:20  lacks a character: a quote or bracket that closes, or a colon behind a key | Close what is open, and write keys as "key: value".',
    ],
    ['? [a]\n: 1', '1:3  has a key that is no text | Write keys as plain words.'],
    ['a: @x', `1:4  has a value that begins with a character that YAML keeps for itself | ${QUOTES}`],
    ['a: !foo 1', '1:4  has a tag that is not known | Take out the word that begins with !.'],
    ['a: !!timestamp 2020-01-01', '1:4  has a tag that is not known | Take out the word that begins with !.'],
    ['a: 1\n---\nb: 2', '2:1  has a second document in it | Take out the line --- and what follows it.'],
    ['"a\\qb": 1', '1:3  has a backslash that escapes nothing | Write \\\\ for a backslash, or use single quotes.'],
    ['%FOO bar\n---\na: 1', '1:1  is not YAML 1.2 | Take out the line that begins with %.'],
    ['%YAML 1.1\n---\na: yes', '1:1  is not YAML 1.2 | Take out the line that begins with %.'],
    [
      '{"a": 1',
      '1:8  lacks a character: a quote or bracket that closes, or a colon behind a key | Close what is open, and write keys as "key: value".',
    ],
  ])('is refused for the first thing that is wrong: %j', (text, problem) => {
    expect(linesOf(text)).toEqual([problem])
  })

  test('is refused with a general word where the parser has a reason that we do not know', () => {
    expect(syntaxFault('NEW_CODE')).toEqual({
      wrong: 'is not valid YAML here',
      cure: 'Check indentation, quotes, brackets and colons.',
    })
  })

  test('is not quoted', () => {
    for (const text of [
      'api_key: sk-canary: x',
      'a: "sk-canary',
      'api_key: [sk-canary',
      'k: *sk-canary',
      'sk-canary',
    ]) {
      expect(JSON.stringify(problemsOf(text))).not.toContain('canary')
    }
  })
})

describe('a key that is there twice', () => {
  test('is a problem where it is there again, beside all others', () => {
    expect(linesOf('all_open: try\nunknown_models: x\nall_open: refuse\nall_open: 5')).toEqual([
      '2:17 unknown_models "x" is not known here | Known here: pass, refuse.',
      '3:1 all_open is there a second time | Take one of the two out.',
      '4:1 all_open is there a second time | Take one of the two out.',
      '4:11 all_open 5 is not a word | Known here: try, refuse.',
    ])
  })

  test('is a problem in JSON, too', () => {
    expect(linesOf('{"all_open":"try","all_open":"try"}')).toEqual([
      '1:19 all_open is there a second time | Take one of the two out.',
    ])
  })
})

describe('an alias', () => {
  test('of nothing above it is a problem, also of itself', () => {
    const cure = 'Write the anchor (&name) before its alias (*name).'
    expect(linesOf('retry: *r')).toEqual([`1:8 retry is an alias of nothing above it | ${cure}`])
    expect(linesOf('params: &p [{ defaults: { x: *p } }]')).toEqual([
      `1:30 params[0].defaults.x is an alias of nothing above it | ${cure}`,
    ])
  })

  test('of an anchor that is there twice is of the last one above it', () => {
    const text = 'retry: { base: &x 1, max: 20 }\ntimeouts: { total: *x, first_byte: &x 2, stream_idle: *x }'
    const { resilience, upstreams } = loadGood(text)
    expect([resilience.retry.baseMs, upstreams[0]?.timeouts]).toEqual([
      1,
      { totalMs: 1, firstByteMs: 2, streamIdleMs: 2 },
    ])
  })

  test('has its problems at the anchor, where they are to be cured', () => {
    const text = 'upstreams:\n  a: &a { base_url: "http://a", preset: x }\n  b: *a\n'
    expect(problemsOf(text).map(({ line, column, path }) => [line, column, path])).toEqual([
      [2, 41, 'upstreams.a.preset'],
      [2, 41, 'upstreams.b.preset'],
    ])
  })

  test('of aliases of aliases comes to an end', () => {
    const lines = Array.from(
      { length: 12 },
      (_, index) => `    k${index + 1}: &k${index + 1} [${`*k${index},`.repeat(9)}]`,
    )
    const text = `params:\n- defaults:\n    k0: &k0 [1]\n${lines.join('\n')}\n`
    const started = cpuMs()
    const loaded = load(text)
    expect(loaded.ok ? [] : loaded.problems.map(({ wrong }) => wrong)).toEqual(['is far too large'])
    expect(cpuMs() - started).toBeLessThan(5_000)
  })
})

test('what is nested very deeply is refused', () => {
  expect(problemsOf(`params: [{ defaults: { x: ${'['.repeat(100)}${']'.repeat(100)} } }]`)).toMatchObject([
    { wrong: 'is nested too deeply' },
  ])
  expect(problemsOf('['.repeat(20_000))).toHaveLength(1)
})
