import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { failureOf, isUnsent } from '../../../../src/routing/attempts/failure-of.ts'

const OPEN = new AbortController().signal

function unreachable(code: string, more: object = {}): ApiError {
  return new ApiError('upstream_unreachable', { cause: Object.assign(new Error('x'), { code, ...more }) })
}

function lack(code: string): ApiError {
  return new ApiError('out_of_connections', { cause: Object.assign(new Error('x'), { code }) })
}

test.each([
  ['EMFILE', true],
  ['ENFILE', true],
  ['EADDRNOTAVAIL', true],
  ['ENOMEM', false],
])('of a call that failed for want of something (%s) nothing was sent for certain: %p', (code, isCertain) => {
  expect(isUnsent(lack(code))).toBe(isCertain)
})

describe('what made a call fail', () => {
  test.each([
    'ConnectionRefused',
    'ECONNREFUSED',
    'ENOTFOUND',
    'FailedToOpenSocket',
    'ENETDOWN',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ])('is the connection, where none came about: %s', (code) => {
    expect(failureOf(unreachable(code), OPEN)).toBe('connect')
  })

  test.each(['ECONNRESET', 'ConnectionClosed', 'EPIPE', ''])('is a reset, where one broke: %p', (code) => {
    expect(failureOf(unreachable(code), OPEN)).toBe('reset')
  })

  test('is a reset where a connection that was there has gone silent: bytes of the request may have been read', () => {
    expect(failureOf(unreachable('ETIMEDOUT', { syscall: 'read' }), OPEN)).toBe('reset')
    expect(failureOf(unreachable('EHOSTUNREACH', { syscall: 'write' }), OPEN)).toBe('reset')
    expect(failureOf(unreachable('ETIMEDOUT', { syscall: 'connect' }), OPEN)).toBe('connect')
  })

  test('is a reset where nothing is known of the cause', () => {
    expect(failureOf(new ApiError('upstream_unreachable'), OPEN)).toBe('reset')
  })

  test('is the connection where its name could not be looked up, whatever the resolver says', () => {
    expect(failureOf(unreachable('ESERVFAIL', { syscall: 'getaddrinfo' }), OPEN)).toBe('connect')
  })

  test('is nobody’s where this server could open nothing more, which the same request may meet at any target', () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS']) expect(failureOf(lack(code), OPEN)).toBeUndefined()
  })

  test('is the connection where no port was left for a server: another one may be reached', () => {
    expect(failureOf(lack('EADDRNOTAVAIL'), OPEN)).toBe('connect')
  })

  test('is time, or an answer that is none', () => {
    expect(failureOf(new ApiError('upstream_timeout'), OPEN)).toBe('timeout')
    expect(failureOf(new ApiError('upstream_invalid_response'), OPEN)).toBe('invalid')
  })

  test('is none of the upstream’s doing where the client left, its deadline came, or it sent something wrong', () => {
    for (const kind of ['client_closed', 'upload_timeout', 'request_too_large'] as const) {
      expect(failureOf(new ApiError(kind), OPEN)).toBeUndefined()
    }
    const left = AbortSignal.abort(new ApiError('client_closed'))
    expect(failureOf(new ApiError('upstream_timeout'), left)).toBeUndefined()
  })
})
