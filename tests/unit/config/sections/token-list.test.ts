import { describe, expect, test } from 'bun:test'
import { tokenList } from '../../../../src/config/sections/token-list.ts'
import { opened } from '../../../helpers/secrets.ts'
import { loadGood, loadProblems, sentences } from '../load-with-files.ts'

/** The tokens of a text as `name:secret`, or what is wrong. */
function read(text: string): readonly string[] | string {
  const parsed = tokenList.parse(text)
  return parsed.ok
    ? parsed.value.map(({ name = '', token: secret }) => `${name}:${secret.reveal()}`)
    : parsed.fault.wrong
}

describe('a list of tokens', () => {
  test.each([
    ['alice:a1,bob:b1', ['alice:a1', 'bob:b1']],
    ['a1,b1', [':a1', ':b1']],
    ['alice:new , alice:old,carol.x_y-1:c', ['alice:new', 'alice:old', 'carol.x_y-1:c']],
    // A token may itself have colons in it: the first is the name's.
    ['alice:a:1,:to:ken', ['alice:a:1', ':to:ken']],
    // The same entry twice is one.
    ['alice:a1,alice:a1,b1,b1', ['alice:a1', ':b1']],
  ])('by comma: %s', (text, tokens) => expect(read(text)).toEqual(tokens))

  test.each([
    [
      '# the team\nalice a1\r\n\n  bob\tb1  # leaves in May\ncarol: c1\ndave:d1\ne1\n',
      ['alice:a1', 'bob:b1', 'carol:c1', 'dave:d1', ':e1'],
    ],
    ['alice a:1', ['alice:a:1']],
    ['\n# nobody yet\n\n', []],
  ])('by line, with names, comments and blank lines: %j', (text, tokens) => expect(read(text)).toEqual(tokens))

  test.each([
    ['alice:', 'has a name without a token'],
    ['álice:a1', 'has something before a colon or a space that is no name'],
    ['to/ken:a1,b', 'has something before a colon or a space that is no name (entry 1 of 2)'],
    [`${'n'.repeat(65)}:a1`, 'has something before a colon or a space that is no name'],
    ['alice:a b', 'has whitespace inside'],
    ['alice a b', 'has whitespace inside'],
    ['b1,Bearer a1', 'begins with "Bearer" (entry 2 of 2)'],
    ['alice:Bearer a1', 'begins with "Bearer"'],
    ['alice:"a1"', 'is wrapped in quotes'],
    ['local:a1', 'has the name "local", which is that of a kind of callers'],
    ['0123456789abcdef0123456789abcdef alice', 'has a name that looks like a token itself'],
    ['sk-abc alice', 'has a name that looks like a token itself'],
    ['alice:a1,bob:a1', 'has one token twice, as "alice" (entry 1) and as "bob" (entry 2)'],
    ['a1,bob:a1', 'has one token twice, without a name (entry 1) and as "bob" (entry 2)'],
  ])('%j is refused: it %s', (text, wrong) => expect(read(text)).toBe(wrong))
})

describe('a file of tokens that is wrong', () => {
  const problemOf = (text: string) => {
    const [problem] = loadProblems({ REQUIRE_AUTH: 'true', API_TOKEN_FILE: '/run/tokens' }, { readFile: () => text })
    return [`${problem?.name} ${problem?.wrong}`, problem?.cure]
  }
  const cure = expect.stringMatching(/^Write NAME TOKEN on a line of its own, with a name of letters/)
  const emptyCure = expect.stringMatching(/^Write NAME TOKEN on a line for each caller; make a token with: openssl/)

  test.each([
    ['alice 0123456789abcdef\n\n# the others\nbob:\n', 'has a name without a token (line 4)', cure],
    ['\n\nto/ken a1', 'has something before a colon or a space that is no name (line 3)', cure],
    ['a 0123456789abcdef\r\nsk-abc alice\r\n', 'has a name that looks like a token itself (line 2)', cure],
    ['a a1\nb b1, c a1', 'has one token twice, as "a" (line 1) and as "c" (line 2)', expect.any(String)],
    ['\n \n', 'names an empty file (/run/tokens)', emptyCure],
    ['# nobody yet\n', 'names a file without a token, though REQUIRE_AUTH is true', emptyCure],
  ])('%j: it %s, and the cure is one for a file', (text, wrong, wanted) => {
    expect(problemOf(text)).toEqual([`API_TOKEN_FILE ${wrong}`, wanted])
    expect(JSON.stringify(problemOf(text))).not.toContain('NAME:TOKEN')
  })
})

test("the length that is asked for is the token's, without its name", () => {
  const env = { REQUIRE_AUTH: 'true' }
  expect(sentences({ ...env, API_TOKEN: 'a-name-of-some-length:short' })).toEqual([
    'API_TOKEN has a token of fewer than 16 characters',
  ])
  expect(opened(loadGood({ ...env, API_TOKEN: 'al:0123456789abcdef' }).auth.tokens)).toEqual([
    { name: 'al', token: '0123456789abcdef' },
  ])
})
