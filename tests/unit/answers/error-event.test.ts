import { expect, test } from 'bun:test'
import { errorEvent } from '../../../src/answers/error-event.ts'
import { ApiError } from '../../../src/openai/api-error.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a chat stream that breaks off gets a last `data: {"error":…}` event with all four keys', () => {
  const event = new TextDecoder().decode(errorEvent(bytes('}\n\n'), new Error('ECONNRESET at 10.0.0.7')))
  expect(event).toBe(
    'data: {"error":{"message":"Upstream connection closed before the stream was complete.","type":"server_error","param":null,"code":"upstream_unreachable"}}\n\n',
  )
  const ours = new ApiError('upstream_unreachable', { cause: new Error('ECONNRESET') })
  expect(new TextDecoder().decode(errorEvent(bytes(''), ours))).toBe(event)
})

test('the last event says that it was a time limit, where it was one', () => {
  const event = new TextDecoder().decode(errorEvent(bytes(''), new ApiError('upstream_timeout')))
  expect(JSON.parse(event.slice('data: '.length))).toEqual(new ApiError('upstream_timeout').body)
})

test('in the midst of an event there is no last event', () => {
  expect(errorEvent(bytes('"de'), new Error('reset'))).toBeUndefined()
})
