import { ApiError } from '../api-error.ts'
import { ERROR_CATALOGUE, type ErrorKind } from '../error-catalogue.ts'
import type { ErrorEntry } from '../error-entry.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Example, Reference, ResponseShape } from './operation.ts'

/** The body of every error, as OpenAI's specification has it (`ErrorResponse`): all four keys, always. */
export const ERROR_RESPONSE_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'What every error looks like, NexCode’s own and OpenAI’s.',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string', description: 'What was wrong, for a person to read.' },
        type: { type: 'string', description: 'The kind of error, such as `invalid_request_error`.' },
        param: { type: ['string', 'null'], description: 'The request parameter at fault.' },
        code: { type: ['string', 'null'], description: 'The exact error, for a program to read.' },
      },
    },
  },
}

/** The errors that go over the wire: 499 stands only in the log. */
const SENT_KINDS = errorKinds().filter((kind) => ERROR_CATALOGUE[kind].status !== 499)

/**
 * One example per error that is sent, by the name of its row in the catalogue.
 *
 * @example
 * const components = { examples: createErrorExamples() }
 */
export function createErrorExamples(): Readonly<Record<string, Example>> {
  return Object.fromEntries(
    SENT_KINDS.map((kind) => {
      const { code, status, cure } = ERROR_CATALOGUE[kind]
      return [kind, { summary: `${status} ${code ?? kind}`, description: cure, value: new ApiError(kind).body }]
    }),
  )
}

/**
 * One response per status, `Error400` and so on, with an example for each of its errors.
 *
 * @example
 * const components = { responses: createErrorResponses() }
 */
export function createErrorResponses(): Readonly<Record<string, ResponseShape>> {
  return Object.fromEntries(sentStatuses().map((status) => [`Error${status}`, responseOf(status)]))
}

/** The error responses that any path under `/v1` may have, by status, for an operation's `responses`. */
export function referToErrors(): Readonly<Record<string, Reference>> {
  return Object.fromEntries(
    sentStatuses().map((status) => [String(status), { $ref: `#/components/responses/Error${status}` }]),
  )
}

function responseOf(status: number): ResponseShape {
  const kinds = SENT_KINDS.filter((kind) => ERROR_CATALOGUE[kind].status === status)
  const entries: readonly ErrorEntry[] = kinds.map((kind) => ERROR_CATALOGUE[kind])
  const retryAfter = entries.some((entry) => entry.retryAfterSeconds !== undefined)
  return {
    description: entries.map((entry, index) => `\`${entry.code ?? kinds[index]}\`: ${entry.cure}`).join('\n\n'),
    headers: {
      'x-request-id': { $ref: '#/components/headers/RequestId' },
      ...(retryAfter ? { 'retry-after': { $ref: '#/components/headers/RetryAfter' } } : {}),
    },
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorResponse' },
        examples: Object.fromEntries(kinds.map((kind) => [kind, { $ref: `#/components/examples/${kind}` }])),
      },
    },
  }
}

function sentStatuses(): readonly number[] {
  return [...new Set(SENT_KINDS.map((kind) => ERROR_CATALOGUE[kind].status))].sort((left, right) => left - right)
}

function errorKinds(): readonly ErrorKind[] {
  return Object.keys(ERROR_CATALOGUE) as ErrorKind[]
}
