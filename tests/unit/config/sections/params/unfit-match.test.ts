import { describe, expect, test } from 'bun:test'
import type { Callers } from '../../../../../src/config/file/section-reader.ts'
import { loadSettings } from '../../../../../src/config/load-settings.ts'
import { KNOWN_ENDPOINTS } from '../../../../../src/config/sections/params/known-endpoints.ts'
import { KNOWN_PARAMS } from '../../../../../src/config/sections/params/param-names.ts'
import { patternsMeet, unfitEndpoint, unfitPrincipal } from '../../../../../src/config/sections/params/unfit-match.ts'
import parameters from '../../../../fixtures/openai-parameters.json' with { type: 'json' }
import paths from '../../../../fixtures/openai-paths.json' with { type: 'json' }
import { BASE } from '../../load-file.ts'

const GUARDED: Callers = {
  names: ['alice', 'bob', 'token-0a1b2c3d'],
  isRequired: true,
  mayChange: false,
  isLoopback: false,
}

/** What is said of a file, with its severity: `error 3:5 path wrong | cure`. */
function said(text: string, callers: Callers = GUARDED): string[] {
  const loaded = loadSettings({ path: 'nexcode.yaml', text }, { env: {}, readFile: () => '', base: BASE, callers })
  const found = loaded.ok ? loaded.warnings : loaded.problems
  return found.map(
    ({ line, column, path, wrong, cure }) =>
      `${loaded.ok ? 'warning' : 'error'} ${line}:${column} ${path} ${wrong} | ${cure}`,
  )
}

const rule = (match: object): string => JSON.stringify({ params: [{ match, clamp: { max_tokens: { max: 10 } } }] })

describe('a principal that nobody is', () => {
  test('is an error with the nearest name, where it stands, for one and for one of several', () => {
    expect(said('params:\n  - match: { principal: alcie }\n    drop: [user]\n')).toEqual([
      'error 2:25 params[0].match.principal "alcie" fits nobody: no token has that name | Did you mean "alice"?',
    ])
    expect(said('params:\n  - match: { principal: [bob, eve] }\n    drop: [user]\n')).toEqual([
      'error 2:31 params[0].match.principal[1] "eve" fits nobody: no token has that name | Known here: alice, bob, token-0a1b2c3d.',
    ])
  })

  test('is a warning where the tokens are in a file, which may have it later', () => {
    expect(said(rule({ principal: 'eve' }), { ...GUARDED, mayChange: true })).toEqual([
      expect.stringMatching(/^warning .* "eve" fits nobody: no token has that name/),
    ])
  })

  test("is a token's place no more: what to write instead is its name", () => {
    expect(said(rule({ principal: 'token-2' }), { ...GUARDED, mayChange: true })).toEqual([
      expect.stringMatching(
        /^error .* "token-2" is the place of a token in its list, and rules go by names \| The token at that place goes by the name of bob: write that\.$/,
      ),
    ])
    expect(said(rule({ principal: 'token-9' }))[0]).toContain('Write the name of a token (API_TOKEN=NAME:TOKEN)')
  })

  test('is a warning where no token is asked for, and where each caller needs one', () => {
    const open = { ...GUARDED, isRequired: false }
    expect(said(rule({ principal: 'alice' }), open)[0]).toMatch(
      /^warning .* fits nobody, since no token is asked for \(REQUIRE_AUTH\)/,
    )
    expect(said(rule({ principal: 'token' }), open)[0]).toMatch(/^warning .* no token is asked for/)
    expect(said(rule({ principal: 'local' }), open)[0]).toMatch(/^warning .* HOST is reached by other machines/)
    expect(said(rule({ principal: 'caller' }))[0]).toMatch(/^warning .* each caller needs a token/)
  })

  test.each(['alice', 'al*', '*', 'token', 'token-*', 'token-0a1b2c3d'])('is not %s', (principal) => {
    expect(said(rule({ principal }))).toEqual([])
  })

  test('nor, where callers bring keys of their own, one of these by its digest', () => {
    const open = { ...GUARDED, isRequired: false }
    for (const principal of ['caller', 'caller-90448816', 'caller-*'])
      expect(unfitPrincipal(principal, open)).toBeUndefined()
    expect(unfitPrincipal('local', { ...open, isLoopback: true })).toBeUndefined()
  })

  test('nor, where there is a ledger, all keys or one by its id; without one that is a warning', () => {
    for (const principal of ['key', 'key_team-a.alice', 'key_*', 'k*']) {
      expect(unfitPrincipal(principal, { ...GUARDED, hasLedger: true })).toBeUndefined()
      expect(said(JSON.stringify({ ledger: { store: 'memory' }, ...JSON.parse(rule({ principal })) }))).toEqual([])
    }
    for (const principal of ['key', 'key_team-a.alice'])
      expect(said(rule({ principal }))[0]).toMatch(/^warning .* fits nobody, since there is no ledger \| Set LEDGER=/)
  })
})

describe('an endpoint that no request is for', () => {
  test('is an error with the nearest path', () => {
    expect(said('params:\n  - match: { endpoint: chat/completion }\n    drop: [user]\n')).toEqual([
      'error 2:24 params[0].match.endpoint "chat/completion" is no path of the API | Did you mean "chat/completions"?',
    ])
  })

  test.each([
    ['chat.completions', 'Did you mean "chat/completions"?'],
    ['completion', 'Did you mean "completions"?'],
    ['embedings', 'Did you mean "embeddings"?'],
    ['image/generations', 'Did you mean "images/generations"?'],
    ['audios/*', 'Did you mean "audio/*"?'],
    ['chat/completion/*', 'Did you mean "chat/completions/*"?'],
    ['chat', 'Write "/*" behind it for all of them.'],
    ['audio', 'Write "/*" behind it for all of them.'],
    ['chat/completions/', 'no slash at its end'],
    ['chat/completions?beta=true', 'no query'],
    ['/v1/chat/completions', 'Write what stands behind /v1/'],
    ['https://api.openai.com/v1/chat/completions', 'Write the path alone'],
  ])('%s: %s', (endpoint, cure) => {
    const unfit = unfitEndpoint(endpoint)
    expect(unfit?.isCertain).toBe(true)
    expect(unfit?.cure).toContain(cure)
  })

  test.each([
    'chat/*',
    '*',
    '*/completions',
    'Chat/Completions',
    'files/file-1/content',
    'models',
    'audio/trans*',
    'responses/*/cancel',
    'organization/usage/costs',
    'realtime',
  ])('is not %s', (endpoint) => expect(unfitEndpoint(endpoint)).toBeUndefined())

  test.each(['rerank', 'score', 'tokenize', 'messages', 'ocr'])('nor %s, which some upstream has', (endpoint) => {
    expect(unfitEndpoint(endpoint)).toBeUndefined()
  })

  test('is none of those that OpenAI documents', () => {
    const documented = paths.map((path) => path.slice(1).replaceAll(/\{\w+\}/g, 'id-1'))
    expect(documented.filter((path) => unfitEndpoint(path) !== undefined)).toEqual([])
    expect(documented.filter((path) => !KNOWN_ENDPOINTS.some((known) => patternsMeet(path, known)))).toEqual([])
  })
})

describe('a model that is not offered', () => {
  const models = {
    smart: { targets: [{ upstream: 'up', model: 'gpt-4o' }] },
    'open-*': { targets: [{ upstream: 'up' }] },
  }
  const file = (match: object, others: object = {}): string =>
    JSON.stringify({
      ...{ upstreams: { up: { base_url: 'http://up.example/v1' } }, models, unknown_models: 'refuse' },
      ...{ params: [{ match, clamp: { max_tokens: { max: 10 } }, ...others }] },
    })

  test('is an error where all others are refused: the nearest, or the name that stands before it', () => {
    expect(said(file({ model: 'smrat' }))[0]).toMatch(
      /^error .*match\.model "smrat" is not offered, .* \| Did you mean "smart"\?$/,
    )
    expect(said(file({ model: ['smart', 'gpt-4o'] }))[0]).toMatch(
      /match\.model\[1\] "gpt-4o" is not offered.* It is what stands behind "smart"/,
    )
    expect(said(file({}, { values: { model: ['smart', 'dear'] } }))[0]).toMatch(
      /^error .*values\.model\[1\] .*is not offered/,
    )
  })

  test.each(['smart', 's*', '*', 'open-mixtral', 'open-*', 'op*'])('is not %s', (model) => {
    expect(said(file({ model }))).toEqual([])
  })

  test('is every one where all are refused and none is offered: a warning', () => {
    expect(said('unknown_models: refuse\n')).toEqual([
      expect.stringMatching(/^warning 1:17 unknown_models refuses every model, since models names none/),
    ])
  })

  test('is none where others pass', () => {
    expect(said(file({ model: 'gpt-4o' }).replace('"refuse"', '"pass"'))).toEqual([])
  })
})

test("a header's value with a space around it is an error: none has one", () => {
  expect(said(rule({ header: { 'x-team': ' red' } }))[0]).toMatch(/^error .*header\["?x-team"?\]|header\.x-team/)
  expect(said(rule({ header: { 'x-team': 'red one*' } }))).toEqual([])
})

test('a parameter that is most likely misspelt is a warning: some upstream may know it, but it caps nothing of OpenAI', () => {
  const rules = (rule: object): string => JSON.stringify({ params: [rule] })
  expect(said(rules({ clamp: { max_token: { max: 10 } } }))).toEqual([
    expect.stringMatching(
      /^warning 1:\d+ params\[0\]\.clamp\.max_token "max_token" is no parameter of OpenAI's.* \| Did you mean "max_tokens"\?$/,
    ),
  ])
  expect(said(rules({ deny: ['logit_bais', 'respose_format.type'] }))).toEqual([
    expect.stringContaining('Did you mean "logit_bias"?'),
    expect.stringContaining('Did you mean "response_format" in front?'),
  ])
  const others = [
    'top_k',
    'min_p',
    'min_tokens',
    'repetition_penalty',
    'safe_prompt',
    'thinking',
    'chat_template_kwargs',
    'keep_alive',
    'maxTokens',
    'extra_body.maxCompletionTokens',
  ]
  expect(said(rules({ deny: [...others, ...KNOWN_PARAMS.filter((name) => name !== 'model')] }))).toEqual([])
  for (const names of Object.values(parameters))
    expect(names.filter((name) => !KNOWN_PARAMS.includes(name))).toEqual([])
})

test('two patterns meet where a text fits both', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['a', 'a', true],
    ['a', 'b', false],
    ['*', '', true],
    ['a*', '*b', true],
    ['a*c', 'ab', false],
    ['files/*', 'files/*/content', true],
    ['gpt-*', 'gpt', false],
    ['*a*', 'bbab', true],
    ['*a', '*b', false],
    ['', 'a', false],
  ]
  for (const [one, other, expected] of cases) {
    expect([one, other, patternsMeet(one, other)]).toEqual([one, other, expected])
    expect(patternsMeet(other, one)).toBe(expected)
  }
})
