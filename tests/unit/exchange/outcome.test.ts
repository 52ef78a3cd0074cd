import { expect, test } from 'bun:test'
import { blame, causeOf } from '../../../src/exchange/outcome.ts'
import { ApiError } from '../../../src/openai/api-error.ts'

const running = new AbortController().signal
const seen = new Error('the body broke off')

test('what broke a call is the reason of its abort, where there is one', () => {
  const timeout = new ApiError('upstream_timeout')
  expect([causeOf(running, seen), causeOf(AbortSignal.abort(timeout), seen)]).toEqual([seen, timeout])
})

test('a client that has left is to blame, whatever was seen; nobody else ends a call as cancelled', () => {
  const left = new ApiError('client_closed')
  const timeout = new ApiError('upstream_timeout')
  expect(blame(AbortSignal.abort(left), seen)).toEqual({ kind: 'cancelled' })
  expect(blame(running, left)).toEqual({ kind: 'cancelled' })
  expect(blame(AbortSignal.abort(timeout), left)).toEqual({ kind: 'failed', cause: timeout })
  expect(blame(running, seen)).toEqual({ kind: 'failed', cause: seen })
})
