import { expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { noteFailure, type SentCall } from '../../../../src/routing/attempts/sent-call.ts'
import type { Deployment } from '../../../../src/routing/targets/deployment.ts'
import { StaleConnection } from '../../../../src/upstream/failure.ts'

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** A call that was sent at 100, and failed at a time. */
function failedAt(now: number, error: ApiError): SentCall {
  const sent: SentCall = { deployment: {} as Deployment, sentAt: 100, endedAt: undefined, isBilled: true }
  noteFailure(sent, error, now)
  return sent
}

const unreachable = (cause: unknown): ApiError => new ApiError('upstream_unreachable', { cause })

test('a call that was left, came to its time limit or broke off is billed for what it has read', () => {
  for (const error of [
    new ApiError('client_closed'),
    new ApiError('upstream_timeout'),
    new ApiError('client_deadline'),
    unreachable(coded('ECONNRESET')),
  ])
    expect(failedAt(150, error)).toMatchObject({ isBilled: true, endedAt: 150 })
})

test('one that came to no connection, or had an answer of no form, is not', () => {
  for (const error of [
    unreachable(coded('ECONNREFUSED')),
    unreachable(coded('ENOTFOUND')),
    new ApiError('upstream_invalid_response', { cause: 'no form' }),
  ])
    expect(failedAt(150, error).isBilled).toBe(false)
})

test('a kept connection that breaks at once had been closed before; one that breaks later has brought the request', () => {
  const stale = unreachable(new StaleConnection(coded('ECONNRESET')))
  expect(failedAt(150, stale).isBilled).toBe(false)
  expect(failedAt(5_000, stale).isBilled).toBe(true)
})

test('the end of an attempt that had lost before stays what it was; where nobody counts, nothing is noted', () => {
  const sent: SentCall = { deployment: {} as Deployment, sentAt: 100, endedAt: 120, isBilled: true }
  noteFailure(sent, new ApiError('client_closed'), 150)
  expect(sent.endedAt).toBe(120)
  expect(() => noteFailure(undefined, new ApiError('client_closed'), 150)).not.toThrow()
})
