import { expect, test } from 'bun:test'
import { ApiError } from '../../../src/openai/api-error.ts'
import { upstreamFailure } from '../../../src/upstream/failure.ts'

const withCode = (code: string): Error => Object.assign(new TypeError('failed'), { code })

test.each([
  ['ECONNREFUSED', 'upstream_unreachable'],
  ['ENOTFOUND', 'upstream_unreachable'],
  ['ECONNRESET', 'upstream_unreachable'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'upstream_unreachable'],
  ['Malformed_HTTP_Response', 'upstream_invalid_response'],
  ['InvalidHTTPResponse', 'upstream_invalid_response'],
  ['ResponseHeadersTooLarge', 'upstream_invalid_response'],
  ['InvalidContentLength', 'upstream_invalid_response'],
  ['HPE_INVALID_CONSTANT', 'upstream_invalid_response'],
  ['HPE_HEADER_OVERFLOW', 'upstream_invalid_response'],
  ['EMFILE', 'out_of_connections'],
  ['ENFILE', 'out_of_connections'],
  ['ENOMEM', 'out_of_connections'],
  ['EADDRNOTAVAIL', 'out_of_connections'],
] as const)('%s is %s, with the cause for the log', (code, kind) => {
  const cause = withCode(code)
  const error = upstreamFailure(cause)
  expect(error.kind).toBe(kind)
  expect(error.cause).toBe(cause)
})

test('an error of ours that a call was aborted with stays that very error', () => {
  const error = new ApiError('upstream_timeout')
  expect(upstreamFailure(error)).toBe(error)
})

test('whatever else is thrown is an upstream that could not be reached', () => {
  expect(upstreamFailure(undefined).kind).toBe('upstream_unreachable')
  expect(upstreamFailure('text').kind).toBe('upstream_unreachable')
})
