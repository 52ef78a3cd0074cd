import { describe, expect, test } from 'bun:test'
import {
  type AnswerEvent,
  type EventMeaning,
  finishesAnswer,
  meaningOf,
  OpenChoices,
} from '../../../src/openai/answer-events.ts'

const json = (value: unknown, event?: string): AnswerEvent => ({ event, data: JSON.stringify(value) })

describe('an event', () => {
  test.each<[endpoint: string, event: AnswerEvent, meaning: EventMeaning]>([
    ['chat/completions', { data: '[DONE]' }, 'last'],
    ['chat/completions', { data: ' [DONE] ' }, 'last'],
    ['completions', { data: '[DONE]' }, 'last'],
    ['threads/runs', { event: 'done', data: '[DONE]' }, 'last'],
    ['responses', { data: '[DONE]' }, 'neither'],
    ['chat/completions', {}, 'neither'],
    ['chat/completions', { data: '' }, 'neither'],
    ['chat/completions', { data: 'not JSON' }, 'neither'],
    ['chat/completions', { data: '{"choices":[{"delta":{"content":"[DONE]"}}]}' }, 'neither'],
    ['chat/completions', { data: '{"choices":[{"delta":{"content":"an \\"error\\": 1"}}],"error":null}' }, 'neither'],
    ['chat/completions', json({ choices: [{ delta: {}, finish_reason: 'stop' }] }), 'neither'],
    ['chat/completions', json({ choices: [{ delta: {}, finish_reason: 'error' }] }), 'failure'],
    ['chat/completions', json({ choices: [{ delta: {}, error: null }, { error: { code: 502 } }] }), 'failure'],
    ['chat/completions', json({ id: 'x', choices: [], error: { message: 'gone' } }), 'failure'],
    ['chat/completions', json({ error: 'gone' }), 'failure'],
    ['chat/completions', json({ error: { message: null, code: null } }), 'failure'],
    ['chat/completions', json({ error: {} }), 'failure'],
    ['chat/completions', json({ id: 'x', choices: [{ delta: { content: 'hi' } }], error: {} }), 'neither'],
    [
      'chat/completions',
      json({ choices: [{ delta: { content: 'hi' }, error: { message: '' } }], error: [] }),
      'neither',
    ],
    ['chat/completions', json({ choices: [{ delta: {} }], error: { message: null, code: 0 } }), 'neither'],
    ['responses', json({ type: 'response.completed', response: { status: 'completed', error: {} } }), 'last'],
    ['responses', json({ type: 'response.completed', response: { status: 'in_progress', error: {} } }), 'neither'],
    ['images/generations', json({ type: 'image_generation.completed', error: {} }), 'last'],
    ['messages', json({ type: 'message_stop', error: { type: '' } }), 'last'],
    ['chat/completions', { event: 'error', data: 'gone' }, 'failure'],
    ['responses', json({ sequence_number: 9, type: 'error', message: 'gone' }), 'failure'],
    ['responses', json({ type: 'response.output_text.delta', delta: '{"type":"response.completed"}' }), 'neither'],
    ['responses', json({ type: 'response.mcp_call.failed' }), 'neither'],
    ['responses', json({ response: { status: 'completed', error: null }, type: 'response.completed' }), 'last'],
    ['responses', json({ status: 'completed' }, 'response.completed'), 'last'],
    ['responses', json({ type: 'response.incomplete', response: { status: 'incomplete' } }), 'last'],
    ['responses', { data: '{"typ\\u0065":"response.f\\u0061iled"}' }, 'failure'],
    ['responses', json({ type: 'response.failed', response: { status: 'failed' } }), 'failure'],
    ['responses', json({ type: 'response.cancelled', response: { status: 'cancelled' } }), 'failure'],
    ['responses', json({ type: 'response.completed', response: { status: 'failed' } }), 'failure'],
    ['responses', json({ type: 'response.completed', response: { error: { code: 'server_error' } } }), 'failure'],
    ['messages', json({ type: 'message_stop' }, 'message_stop'), 'last'],
    ['messages', json({ type: 'message_stop' }), 'last'],
    ['messages', json({ type: 'error', error: { type: 'overloaded_error' } }, 'error'), 'failure'],
    ['images/generations', json({ type: 'image_generation.partial_image' }), 'neither'],
    ['images/generations', json({ type: 'image_generation.completed' }), 'last'],
    ['images/edits', json({ type: 'image_edit.completed' }), 'last'],
    ['audio/transcriptions', json({ type: 'transcript.text.done' }), 'last'],
    ['audio/speech', json({ type: 'speech.audio.done' }), 'last'],
    ['threads/runs', json({ status: 'failed' }, 'thread.run.failed'), 'failure'],
  ])('of %s: %j is %s', (endpoint, event, meaning) => {
    expect(meaningOf(endpoint, event)).toBe(meaning)
  })

  test.each([
    ['{"choices":[{"finish_reason":null},{"finish_reason":"length"}]}', true],
    ['{"choices":[],"usage":{"total_tokens":3}}', true],
    ['{"choices":[],"usage":null}', false],
    ['{"choices":[{"finish_reason":null}],"usage":{"total_tokens":3}}', false],
    ['[DONE]', false],
    [undefined, false],
  ])('with the data %j finishes the answer: %p', (data, isFinished) => {
    expect(finishesAnswer(data)).toBe(isFinished)
  })

  test('that begins a choice leaves it open until one ends it', () => {
    const choices = new OpenChoices()
    expect(choices.areFinished).toBe(false)
    choices.add('{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{}}]}')
    choices.add('{"choices":[{"index":0,"finish_reason":"stop"}]}')
    expect(choices.areFinished).toBe(false)
    choices.add('{"choices":[{"index":1,"finish_reason":"stop"}]}')
    choices.add('{"choices":[],"usage":{}}')
    expect(choices.areFinished).toBe(true)
  })
})
