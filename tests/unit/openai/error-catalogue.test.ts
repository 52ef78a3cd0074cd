import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { renderErrorTable } from '../../../scripts/render-error-table.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { ERROR_CATALOGUE, type ErrorKind } from '../../../src/openai/error-catalogue.ts'
import type { ErrorEntry } from '../../../src/openai/error-entry.ts'

const KINDS = Object.keys(ERROR_CATALOGUE) as ErrorKind[]

test.each(KINDS)('%s has all four keys, a type that is never null, and a code that is a string or null', (kind) => {
  const { body, entry } = new ApiError(kind)
  expect(Object.keys(body)).toEqual(['error'])
  expect(Object.keys(body.error)).toEqual(['message', 'type', 'param', 'code'])
  expect(body.error.message.length).toBeGreaterThan(10)
  expect(body.error.type).toBe(entry.type)
  expect(['invalid_request_error', 'insufficient_quota', 'rate_limit_error', 'requests', 'server_error']).toContain(
    entry.type,
  )
  expect(body.error.param).toBeNull()
  expect(body.error.code === null || /^[a-z_]+$/.test(body.error.code)).toBe(true)
})

test.each(KINDS)('%s says whose fault it was as its status does', (kind) => {
  const { status, fault } = ERROR_CATALOGUE[kind] as ErrorEntry
  const expected = status < 500 ? 'caller' : status === 502 || status === 504 ? 'upstream' : 'server'
  expect(fault).toBe(expected)
})

test('429 and 503 say when to come back, and nothing else does; spent money comes back too late for that', () => {
  const waiting = KINDS.filter((kind) => (ERROR_CATALOGUE[kind] as ErrorEntry).retryAfterSeconds !== undefined)
  const waited = KINDS.filter((kind) => [429, 503].includes(ERROR_CATALOGUE[kind].status))
  expect(waiting).toEqual(waited.filter((kind) => kind !== 'spend_limit_reached'))
})

test('a cause is kept for the log and never gets into the body', () => {
  const error = new ApiError('upstream_unreachable', { cause: new Error('connect 10.0.0.7:443') })
  expect(String(error.cause)).toContain('10.0.0.7')
  expect(JSON.stringify(error.body)).not.toContain('10.0.0.7')
})

test('a thrower may say more exactly what was wrong: message, param and code', () => {
  const details = { message: "Missing required parameter: 'messages'.", param: 'messages', code: 'missing' }
  expect(new ApiError('invalid_parameter', details).body.error).toEqual({ ...details, type: 'invalid_request_error' })
  expect(new ApiError('upstream_timeout', { code: null }).body.error.code).toBeNull()
})

test('docs/errors.md has the table that the catalogue makes', () => {
  const document = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  expect(document).toContain(`<!-- errors:begin -->\n${renderErrorTable()}<!-- errors:end -->`)
})
