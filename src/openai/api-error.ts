import { ERROR_CATALOGUE, type ErrorKind } from './error-catalogue.ts'
import type { ErrorEntry } from './error-entry.ts'

/** The body that OpenAI sends for each error: all four keys, always (OpenAI specification, `ErrorResponse`). */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

/** Details that replace or add to the catalogue's row. */
export interface ApiErrorDetails {
  /** Replaces the row's message. */
  readonly message?: string
  /** The request parameter at fault. */
  readonly param?: string | null
  /** Replaces the row's type. */
  readonly type?: string
  /** Replaces the row's code, for OpenAI's own codes of one kind. */
  readonly code?: string | null
  /** Replaces the row's seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Headers of its answer, beside those that every error has. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The cause of the error: logged, never sent. */
  readonly cause?: unknown
  /** The number of the parameter rule that refused the request: logged, never sent. */
  readonly rule?: number | undefined
}

/**
 * The one error class: a row of the catalogue with its details. It is thrown anywhere and rendered in one place.
 *
 * @example
 * throw new ApiError('upstream_timeout', { cause })
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Not called `code`, which Elysia would take for the name of its own error. */
  readonly kind: ErrorKind
  readonly entry: ErrorEntry
  readonly body: ErrorBody
  /** For `Retry-After`, where waiting helps. */
  readonly retryAfterSeconds: number | undefined
  readonly rule: number | undefined
  /** Headers of its answer, beside those that every error has; undefined: none. */
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(kind: ErrorKind, details: ApiErrorDetails = {}) {
    const entry: ErrorEntry = ERROR_CATALOGUE[kind]
    const message = details.message ?? entry.message
    super(message, { cause: details.cause })
    this.kind = kind
    this.entry = entry
    this.retryAfterSeconds = details.retryAfterSeconds ?? entry.retryAfterSeconds
    this.rule = details.rule
    this.headers = details.headers
    this.body = {
      error: {
        message,
        type: details.type ?? entry.type,
        param: details.param ?? null,
        code: details.code === undefined ? entry.code : details.code,
      },
    }
  }

  /** Gives a copy that its receiver may change: the error of a call is shared by all who wait for it. */
  copy(): ApiError {
    const { message, type, param, code } = this.body.error
    const { kind, retryAfterSeconds, rule, headers, cause } = this
    return new ApiError(kind, {
      ...{ message, type, param, code, rule, headers, cause },
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
}
