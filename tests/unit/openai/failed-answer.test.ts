import { describe, expect, test } from 'bun:test'
import { isFailedAnswer, isUnderWay } from '../../../src/openai/failed-answer.ts'

/** What servers write that always have an `error`, while nothing has failed. */
const BLANK = [
  undefined,
  null,
  false,
  0,
  '',
  ' ',
  [],
  {},
  [null],
  { message: '', type: null, code: 0 },
  { details: [{}] },
]
const TOLD = [true, 1, 'gone', ['gone'], { code: 502 }, { message: 'gone' }, { details: [{ reason: 'gone' }] }]

/** An answer of each protocol, with nothing wrong about it. */
const GOOD: readonly (readonly [endpoint: string, answer: object])[] = [
  ['chat/completions', { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }],
  ['completions', { choices: [{ text: 'hi', finish_reason: 'length' }] }],
  ['responses', { id: 'resp_1', status: 'completed', output: [{ type: 'message' }] }],
  ['responses', { id: 'resp_1', status: 'incomplete', output: [] }],
  ['messages', { type: 'message', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn' }],
  ['images/generations', { created: 1, data: [{ b64_json: 'AA==' }] }],
  ['audio/transcriptions', { text: 'hi' }],
  ['embeddings', { data: [{ embedding: [0] }] }],
  ['moderations', { results: [{ flagged: false }] }],
  ['batches', { id: 'batch_1', object: 'batch', status: 'validating' }],
  ['videos', { id: 'video_1', object: 'video', status: 'queued' }],
  ['fine_tuning/jobs', { id: 'ftjob-1', object: 'fine_tuning.job', status: 'queued' }],
]

describe('an answer', () => {
  test.each(GOOD)('of %s has not failed, whatever servers write that say no error: %j', (endpoint, answer) => {
    for (const error of BLANK) {
      expect([error, isFailedAnswer(endpoint, { ...answer, error })]).toEqual([error, false])
      expect([error, isFailedAnswer(endpoint, { error, ...answer })]).toEqual([error, false])
    }
  })

  test.each(GOOD.filter(([endpoint]) => !/^(?:batches|videos|fine_tuning)/.test(endpoint)))(
    'of %s has failed where it tells an error: %j',
    (endpoint, answer) => {
      for (const error of TOLD) expect([error, isFailedAnswer(endpoint, { ...answer, error })]).toEqual([error, true])
    },
  )

  test.each([
    ['chat/completions', { choices: [{ message: {}, error: { code: 502 } }] }],
    ['chat/completions', { choices: [{ message: {}, finish_reason: 'error' }] }],
    ['chat/completions', { object: 'error', message: 'gone', code: 500 }],
    ['chat/completions', { error: {} }],
    ['chat/completions', { error: { message: null }, choices: [] }],
    ['chat/completions', { error: {}, choices: null, usage: null }],
    ['messages', { type: 'error', request_id: 'r' }],
    ['responses', { output: [], status: 'failed' }],
    ['responses', { status: 'cancelled', error: {} }],
    ['batches', { error: { message: 'no such file' } }],
    ['videos', { object: 'error', id: 'x' }],
  ])('of %s: %j is a failure', (endpoint, value) => {
    expect(isFailedAnswer(endpoint, value)).toBe(true)
  })

  test.each([
    ['chat/completions', { choices: [{ message: { content: 'hi' }, error: {} }] }],
    ['videos', { id: 'video_1', object: 'video', status: 'failed', error: { code: 'moderation_blocked' } }],
    ['models', [{ id: 'm' }]],
  ])('of %s: %j is none', (endpoint, value) => {
    expect(isFailedAnswer(endpoint, value)).toBe(false)
  })

  test('that says it is queued or in progress has not failed: its upstream is at work', () => {
    for (const status of ['queued', 'in_progress']) {
      expect(isFailedAnswer('responses', { status, background: false })).toBe(false)
      expect(isUnderWay({ status })).toBe(true)
    }
    expect(isUnderWay({ status: 'incomplete' })).toBe(false)
  })

  test('with an error that is nested deeply is no reason to look without end', () => {
    let error: unknown = 'x'
    for (let depth = 0; depth < 50_000; depth += 1) error = [error]
    expect(isFailedAnswer('chat/completions', { choices: [{}], error })).toBe(true)
  })
})
