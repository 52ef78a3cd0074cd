import type { SimulatedAnswer } from './call.ts'
import type { Faults } from './faults.ts'
import { SimulatedError } from './simulated-error.ts'

const retryAfterDefaultMs = 20

/** What was asked for instead of an answer, with OpenAI's words for errors; undefined where nothing was. */
export function faultAnswer(faults: Faults, requestId: string): SimulatedAnswer | undefined {
  if (faults.html) return htmlPage(faults.status ?? 200)
  return faultError(faults, requestId)?.answer
}

function faultError(faults: Faults, requestId: string): SimulatedError | undefined {
  if (faults.quota) return insufficientQuota()
  if (faults.status === undefined) return undefined
  if (faults.status === 429) return rateLimit(faults)
  return serverError(faults.status, requestId, faults.status === 503 ? retryAfter(faults) : {})
}

/** The error of a simulated server that breaks down: 500 and 503 as OpenAI words them, any other status in words of its own. */
export function serverError(status: number, requestId: string, headers: Record<string, string> = {}): SimulatedError {
  const inWords: Record<number, string> = {
    500: `The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID ${requestId} in your email.)`,
    503: `That model is currently overloaded with other requests. You can retry your request, or contact us through our help center at help.openai.com if the error persists. (Please include the request ID ${requestId} in your message.)`,
  }
  return new SimulatedError({
    status,
    message: inWords[status] ?? `The simulated OpenAI was asked to answer with status ${status}.`,
    type: status >= 500 ? 'server_error' : 'invalid_request_error',
    headers,
  })
}

function htmlPage(status: number): SimulatedAnswer {
  const page = '<!doctype html>\n<title>Simulated</title>\n<p>A page that NexCode was asked to simulate.</p>\n'
  return { kind: 'bytes', bytes: new TextEncoder().encode(page), contentType: 'text/html; charset=utf-8', status }
}

function rateLimit(faults: Faults): SimulatedError {
  const waitMs = faults.retryAfterMs ?? retryAfterDefaultMs
  return new SimulatedError({
    status: 429,
    message: `Rate limit reached for the simulated model in organization org-nexcode-simulated on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in ${waitMs}ms. Visit https://platform.openai.com/account/rate-limits to learn more.`,
    type: 'requests',
    code: 'rate_limit_exceeded',
    headers: {
      ...retryAfter(faults),
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': `${waitMs}ms`,
    },
  })
}

function insufficientQuota(): SimulatedError {
  return new SimulatedError({
    status: 429,
    message:
      'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  })
}

function retryAfter({ retryAfterMs = retryAfterDefaultMs }: Faults): Record<string, string> {
  return { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(retryAfterMs) }
}
