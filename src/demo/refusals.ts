import type { SimulatedJson } from './call.ts'
import type { JsonValue } from './json-value.ts'

/** The parts of an error answer: the four keys of OpenAI's `error` object are `message`, `type`, `param` and `code`. */
interface SimulatedErrorParts {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** An error that the simulated OpenAI answers with. Thrown anywhere in `demo/`, rendered once, in `simulated-openai.ts`. */
export class SimulatedError extends Error {
  override readonly name = 'SimulatedError'
  readonly answer: SimulatedJson

  constructor({ status, message, type, param, code, headers }: SimulatedErrorParts) {
    super(message)
    const error = { message, type: type ?? 'invalid_request_error', param: param ?? null, code: code ?? null }
    this.answer = { kind: 'json', value: { error }, status, headers: headers ?? {} }
  }
}

/**
 * Thrown by the simulated OpenAI's `fetch` where a reset before the headers was asked for.
 *
 * There is no `Response` for a connection that is cut: whoever serves the simulation on a socket closes that socket
 * without an answer when it meets this error, and a test in process takes it for the failed connection itself.
 *
 * @example
 * await openai.fetch(request).catch((error) => {
 *   if (error instanceof SimulatedReset) socket.destroy()
 * })
 */
export class SimulatedReset extends Error {
  override readonly name = 'SimulatedReset'
  readonly code = 'ECONNRESET'

  constructor() {
    super('The simulated OpenAI was asked to cut the connection before its answer.')
  }
}

/** 401: the request carries no key. The code is null, as it is at OpenAI. */
export function missingKey(): SimulatedError {
  return new SimulatedError({
    status: 401,
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys.",
  })
}

/** 401: the key is wrong. Of a long key both ends are shown, as OpenAI does; of a short one only its beginning. */
export function wrongKey(key: string): SimulatedError {
  const shown =
    key.length < 20
      ? key.slice(0, 3) + '*'.repeat(Math.max(0, key.length - 3))
      : key.slice(0, 8) + '*'.repeat(key.length - 12) + key.slice(-4)
  return new SimulatedError({
    status: 401,
    message: `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    code: 'invalid_api_key',
  })
}

/** 400: the body names no model. */
export function missingModel(): SimulatedError {
  return new SimulatedError({ status: 400, message: 'you must provide a model parameter' })
}

/** 404: there is no such model. */
export function unknownModel(model: string): SimulatedError {
  return new SimulatedError({
    status: 404,
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    code: 'model_not_found',
  })
}

/** 400: the body is not JSON, or not an object. */
export function invalidJson(): SimulatedError {
  return new SimulatedError({
    status: 400,
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
  })
}

/** 400: the body is of a media type that the endpoint does not read. */
export function unsupportedContentType(given: string, accepted: string): SimulatedError {
  return new SimulatedError({
    status: 400,
    message: `Unsupported content type: '${given}'. This API method only accepts '${accepted}' requests, but you specified the header 'Content-Type: ${given}'. Please try again with a supported content type.`,
    code: 'unsupported_content_type',
  })
}

/** 400: a field that must be there is not. */
export function missingParameter(param: string): SimulatedError {
  return new SimulatedError({
    status: 400,
    message: `Missing required parameter: '${param}'.`,
    param,
    code: 'missing_required_parameter',
  })
}

/** 400: a field is of another type; `expected` is worded with its article, such as `an integer`. */
export function invalidType(param: string, expected: string, given: JsonValue): SimulatedError {
  return new SimulatedError({
    status: 400,
    message: `Invalid type for '${param}': expected ${expected}, but got ${typeWords(given)} instead.`,
    param,
    code: 'invalid_type',
  })
}

/** 400: an array that needs an item has none. */
export function emptyArray(param: string): SimulatedError {
  return new SimulatedError({
    status: 400,
    message: `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param,
    code: 'empty_array',
  })
}

/** 400: a field has a value that cannot be served; `why` is a sentence. */
export function invalidValue(param: string, why: string): SimulatedError {
  return new SimulatedError({ status: 400, message: `Invalid '${param}': ${why}`, param, code: 'invalid_value' })
}

/** 404: there is no such path. */
export function unknownUrl(method: string, path: string): SimulatedError {
  if (path === '/v1' || path === '/v1/') {
    return new SimulatedError({
      status: 404,
      message: `Unknown request URL: ${method} ${path}. Please check the URL for typos, or see the docs at https://platform.openai.com/docs/api-reference/.`,
      code: 'unknown_url',
    })
  }
  return new SimulatedError({ status: 404, message: `Invalid URL (${method} ${path})` })
}

/** 405: the path is there, for other methods. They are listed in `allow` (RFC 9110, 15.5.6). */
export function wrongMethod(method: string, path: string, allowed: readonly string[]): SimulatedError {
  return new SimulatedError({
    status: 405,
    message: `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
    headers: { allow: allowed.join(', ') },
  })
}

/**
 * 426: a WebSocket was asked for, and only requests of HTTP are answered here. Codex goes on with a POST at once; on a 404 or 405 it
 * asks six more times first. `Upgrade` says what is spoken instead, as it must (RFC 9110, 15.5.22).
 */
export function noWebSocket(): SimulatedError {
  return new SimulatedError({
    status: 426,
    message: 'The simulated OpenAI does not speak WebSocket. Send the same as a POST.',
    headers: { upgrade: 'HTTP/1.1', connection: 'upgrade' },
  })
}

/** 413: the body is larger than the simulation takes. */
export function tooLarge(bytesMax: number, bytesRead: number): SimulatedError {
  return new SimulatedError({
    status: 413,
    message: `Maximum content size limit (${bytesMax}) exceeded (${bytesRead} bytes read)`,
    type: 'server_error',
  })
}

function typeWords(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  return `a ${typeof value}`
}
