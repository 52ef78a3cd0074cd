import type { TSchema } from '@sinclair/typebox'
import { ApiError } from './api-error.ts'
import { compileRequestCheck, type RequestCheck } from './check-request.ts'
import { endpointOf } from './endpoint-of.ts'
import type { Protocol } from './protocol.ts'
import { ChatCompletionRequest } from './schemas/chat-completion-request.ts'
import { CompletionRequest } from './schemas/completion-request.ts'

/** An endpoint whose request body NexCode reads: its name in the log, its path, and its check. */
export interface JsonEndpoint {
  readonly name: 'chat.completions' | 'completions' | 'messages' | 'messages.count_tokens'
  readonly path: string
  readonly protocol: Protocol
  /** undefined: the upstream alone judges the form of its bodies. */
  readonly check: RequestCheck | undefined
}

/** `POST /v1/chat/completions` (OpenAI specification, `createChatCompletion`). */
export const CHAT_COMPLETIONS: JsonEndpoint = {
  name: 'chat.completions',
  path: '/chat/completions',
  protocol: 'openai',
  check: compileOnFirstUse(ChatCompletionRequest),
}

/** `POST /v1/completions` (OpenAI specification, `createCompletion`). */
export const COMPLETIONS: JsonEndpoint = {
  name: 'completions',
  path: '/completions',
  protocol: 'openai',
  check: compileOnFirstUse(CompletionRequest),
}

/**
 * All endpoints whose bodies are read: OpenAI's completions, and of Anthropic's API `POST /v1/messages` and `/v1/messages/count_tokens`
 * (https://platform.claude.com/docs/en/api/messages).
 */
export const JSON_ENDPOINTS: readonly JsonEndpoint[] = [
  CHAT_COMPLETIONS,
  COMPLETIONS,
  { name: 'messages', path: '/messages', protocol: 'anthropic', check: undefined },
  { name: 'messages.count_tokens', path: '/messages/count_tokens', protocol: 'anthropic', check: undefined },
]

/**
 * Gives the endpoint of a request whose body is read; undefined: the body is not read.
 *
 * @example
 * const endpoint = endpointFor('POST', '/v1/chat/completions')
 */
export function endpointFor(method: string, target: string): JsonEndpoint | undefined {
  if (method !== 'POST') return undefined
  const path = `/${endpointOf(target)}`
  return JSON_ENDPOINTS.find((one) => one.path === path)
}

/**
 * Refuses a body that is certainly wrong: throws `invalid_json` or `invalid_parameter`, in OpenAI's words.
 *
 * @example
 * assertRequest(CHAT_COMPLETIONS, body.value)
 */
export function assertRequest(endpoint: JsonEndpoint, value: unknown): void {
  const problem = endpoint.check?.(value)
  if (problem === undefined) return
  if (problem.kind === 'not_an_object') throw new ApiError('invalid_json')
  throw new ApiError('invalid_parameter', { message: problem.message, param: problem.param, code: problem.kind })
}

/** Compiling takes some 20 ms, so it waits for the first use and does not delay the start of the server. */
function compileOnFirstUse(schema: TSchema): RequestCheck {
  let check: RequestCheck | undefined
  return (value) => {
    check ??= compileRequestCheck(schema)
    return check(value)
  }
}
