import { expect, test } from 'bun:test'
import { isCallers, statusOfError } from '../../../src/openai/error-status.ts'
import { holdsGenerated, opensStream } from '../../../src/openai/generated.ts'
import { keyRefusalOf } from '../../../src/openai/key-refusal.ts'

test.each<[number | undefined, Parameters<typeof statusOfError>[0]]>([
  [502, { error: { code: 502, message: 'no' } }],
  [429, { error: { code: '429', message: 'no' } }],
  [503, { error: { message: 'no' }, status_code: 503 }],
  [429, { error: { type: 'invalid_request_error', code: 'rate_limit_exceeded' } }],
  [429, { error: { type: 'tokens', code: 'rate_limit_exceeded' } }],
  [503, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }],
  [401, { error: { type: 'authentication_error' } }],
  [400, { error: { type: 'invalid_request_error', code: 'context_length_exceeded' } }],
  [400, { error: { type: 'BadRequestError', code: null } }],
  [404, { error: { type: 'NotFoundError', code: 404 } }],
  [500, { type: 'response.failed', response: { error: { code: 'server_error' } } }],
  [500, { type: 'error', code: 'server_error', message: 'no' }],
  [502, { choices: [{ error: { code: 502 }, delta: {} }] }],
  [undefined, { error: { message: 'the engine has died' } }],
  [undefined, { error: 'overloaded' }],
  [undefined, { error: { code: 50001, message: 'no' } }],
])('an error has the status %p: %j', (status, value) => {
  expect(statusOfError(value)).toBe(status)
})

test('a status is the caller’s where another target would say the same', () => {
  expect([400, 403, 404, 422].map(isCallers)).toEqual([true, true, true, true])
  expect([401, 402, 408, 409, 429, 500, 503, undefined].some(isCallers)).toBe(false)
})

test('what a model has made is told from what only opens a stream', () => {
  const chunk = (delta: object) => ({ choices: [{ index: 0, delta, finish_reason: null }] })
  for (const made of [
    chunk({ content: 'x' }),
    chunk({ tool_calls: [{ index: 0 }] }),
    chunk({ reasoning_content: 'hm' }),
    { choices: [{ text: 'x' }] },
    { choices: [], usage: { completion_tokens: 1 } },
    { response: { output: [{ type: 'message' }] } },
    { response: { output: [], usage: { output_tokens: 12 } } },
  ])
    expect([holdsGenerated(made as never), opensStream(made as never)]).toEqual([true, false])
  for (const opening of [
    chunk({ role: 'assistant', content: '' }),
    chunk({ role: 'assistant', content: null, tool_calls: [] }),
    { choices: [] },
    { type: 'response.created', response: { output: [] } },
  ])
    expect([holdsGenerated(opening as never), opensStream(opening as never)]).toEqual([false, true])
  expect(opensStream({ type: 'response.output_item.added' })).toBe(false)
})

test('a caller’s words, further on in a message, say nothing of the server’s key', () => {
  const said = (status: number, message: string) =>
    keyRefusalOf(status, { error: { message } }, { namesAccount: false })
  expect(said(400, 'Incorrect API key provided: sk-…')).toBe('refused')
  expect(said(403, 'API key expired. Please renew the API key.')).toBe('refused')
  expect(said(400, 'Invalid prompt: "Incorrect API key provided"')).toBeUndefined()
  expect(said(403, 'Your prompt says: API key is invalid')).toBeUndefined()
  expect(said(404, 'Incorrect API key provided')).toBeUndefined()
  expect(said(429, 'Incorrect API key provided')).toBeUndefined()
})
