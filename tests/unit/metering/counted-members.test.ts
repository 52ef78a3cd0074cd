import { describe, expect, test } from 'bun:test'
import { capWordsOf } from '../../../src/config/providers/cap-words.ts'
import { UNREAD } from '../../../src/formats/json/member-scan.ts'
import { countedMembers } from '../../../src/metering/counted-members.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import type { Deployment } from '../../../src/routing/targets/deployment.ts'

const at = (preset: string | undefined): readonly Deployment[] => [
  { upstream: { capWords: capWordsOf(preset) } } as unknown as Deployment,
]
const OPENAI = at('openai')
const ANYBODY = at(undefined)

const counted = (
  members: Readonly<Record<string, unknown>>,
  {
    endpoint = 'chat/completions',
    deployments = OPENAI,
  }: { endpoint?: string; deployments?: readonly Deployment[] } = {},
): Readonly<Record<string, unknown>> => countedMembers(members, endpoint, deployments, true)

describe('what Pydantic takes for the integer 50, or a float’s field for the number, counts as 50', () => {
  // Pydantic 2.12 in lax mode, `int` and `float`, from JSON.
  test.each([
    ...[
      '50',
      ' 50 ',
      '50.0',
      '+50',
      '5_0',
      '0050',
      '\n50\t',
      '\u00a050',
      '\u200350',
      '0_0050',
      '50.',
      '.5e2',
      '5e1',
      '49.5',
      '50.00_0',
    ],
    ...[50.0, 49.5],
  ])('%j', (n) => expect(counted({ n })['n']).toBe(50))

  test('true is 1, false and null are none', () => {
    expect(counted({ n: true, best_of: null, max_tokens: false })).toEqual({ n: 1, best_of: null, max_tokens: 0 })
  })
})

describe('what no server can count by is refused, and the field is named', () => {
  const fields = ['n', 'best_of', 'max_tokens', 'max_completion_tokens', 'max_tool_calls', 'partial_images']
  const values = [
    'true',
    '',
    '0x32',
    '50,0',
    '٥٠',
    '５０',
    '5__0',
    '_50',
    '++50',
    'Infinity',
    'NaN',
    [],
    {},
    UNREAD,
    Infinity,
  ]
  test.each(fields)('%s', (name) => {
    for (const value of values) {
      let refusal: unknown
      try {
        counted({ [name]: value })
      } catch (thrown) {
        refusal = thrown
      }
      if (!(refusal instanceof ApiError)) throw new Error(`${String(value)} was taken`)
      expect(refusal.entry.status).toBe(400)
      expect(refusal.body.error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_type', param: name })
    }
  })

  test('but not where nothing is limited', () => {
    expect(countedMembers({ n: 'many' }, 'images/generations', OPENAI, false)).toEqual({ n: undefined })
  })
})

test('usual members are given as they are, without a copy', () => {
  const members = { model: 'm', messages: [], n: 2, max_tokens: 10, temperature: 0.5 }
  expect(counted(members)).toBe(members)
})

test('a word for the number of answers in another spelling, or another server’s, counts', () => {
  expect(counted({ N: 50, n: 2 })['n']).toBe(50)
  expect(counted({ candidate_count: '8' }, { deployments: at('gemini') })['n']).toBe(8)
  expect(counted({ generationConfig: { candidateCount: 8 } }, { deployments: at('gemini') })['n']).toBe(8)
  expect(counted({ n_cmpl: 8 }, { deployments: at('llamacpp') })['n']).toBe(8)
  expect(counted({ extra_body: { n: '8' }, n: 1 }, { deployments: ANYBODY })['n']).toBe(8)
  expect(counted({ n_cmpl: 8 })).toEqual({ n_cmpl: 8 })
})

test('a cap counts at the endpoint that obeys it', () => {
  expect(counted({ max_output_tokens: 1 })).toEqual({})
  expect(counted({ max_tokens: 1 }, { endpoint: 'responses' })).toEqual({})
  expect(counted({ max_completion_tokens: 1 }, { endpoint: 'completions' })).toEqual({})
  expect(counted({ max_completion_tokens: 1 }, { deployments: at('llama-cpp-python') })).toEqual({})
  expect(counted({ max_output_tokens: 1 }, { endpoint: 'responses' })).toEqual({ max_output_tokens: 1 })
})

test('of several caps the largest counts, where there is one that is obeyed', () => {
  expect(counted({ max_tokens: 1, n_predict: 500 }, { deployments: at('llamacpp') })['max_tokens']).toBe(500)
  expect(counted({ max_tokens: 1, MaxTokens: '500' })['max_tokens']).toBe(500)
  expect(counted({ n_predict: 500 }, { deployments: at('llamacpp') })['max_tokens']).toBeUndefined()
})

test('of a field of a form that is there twice the largest counts', () => {
  expect(counted({ n: ['1', '9', '2'] }, { endpoint: 'images/edits' })['n']).toBe(9)
})
