import type { SimulatedAnswer } from './call.ts'
import { SimulatedError } from './refusals.ts'
import { usageShapes } from './usage-shapes.ts'

/** The faults, and other peculiarities, that are asked for in one answer. Absent: none. */
export interface Faults {
  /** The shape in which its usage is told, by its name among `usageShapes`. */
  readonly usage?: string
  /** Before the headers, in milliseconds. */
  readonly delayMs?: number
  /** Answer with this error status (400 to 599) instead. */
  readonly status?: number
  /** The time that a simulated 429 tells the client to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Answer 429 for a used-up quota, which no retry cures. */
  readonly quota?: boolean
  /** Answer with a page of HTML, as some proxy on the way would. */
  readonly html?: boolean
  /** Before the headers: cut the connection, or stay silent. */
  readonly beginning?: 'reset' | 'hang'
  /** Half-way through the body: cut it, go silent, end as if it were complete, or send an error event. */
  readonly middle?: 'reset' | 'stall' | 'truncate' | 'error'
  /** Between one chunk and the next, in milliseconds. */
  readonly slowMs?: number
}

interface Directive {
  /** The text after `=`, if any. */
  readonly value?: { readonly name: string; readonly min: number; readonly max: number }
  readonly meaning: string
  readonly faults: (value: number) => Faults
}

/** Everything that can be asked for, by its name in `x-simulate`. */
export const directives: Readonly<Record<string, Directive>> = {
  delay: {
    value: { name: 'ms', min: 0, max: 600_000 },
    meaning: 'wait before the headers',
    faults: (delayMs) => ({ delayMs }),
  },
  slow: {
    value: { name: 'ms', min: 0, max: 60_000 },
    meaning: 'wait between one chunk of the body and the next',
    faults: (slowMs) => ({ slowMs }),
  },
  status: {
    value: { name: 'code', min: 400, max: 599 },
    meaning: 'answer with this error',
    faults: (status) => ({ status }),
  },
  'retry-after-ms': {
    value: { name: 'ms', min: 0, max: 600_000 },
    meaning: 'what a 429 or 503 says in its retry-after headers (20 where not given)',
    faults: (retryAfterMs) => ({ retryAfterMs }),
  },
  'insufficient-quota': { meaning: 'answer 429 for a used-up quota', faults: () => ({ quota: true }) },
  html: { meaning: 'answer with a page of HTML instead of JSON', faults: () => ({ html: true }) },
  reset: { meaning: 'cut the connection before the headers', faults: () => ({ beginning: 'reset' }) },
  hang: { meaning: 'never answer', faults: () => ({ beginning: 'hang' }) },
  'reset-midstream': { meaning: 'cut the connection half-way through the body', faults: () => ({ middle: 'reset' }) },
  'error-midstream': {
    meaning: 'send an error event half-way through a stream, and end it',
    faults: () => ({ middle: 'error' }),
  },
  truncate: {
    meaning: 'end half-way through the body, as if it were complete',
    faults: () => ({ middle: 'truncate' }),
  },
  stall: { meaning: 'go silent half-way through the body', faults: () => ({ middle: 'stall' }) },
}

/**
 * Reads directives as they stand in the `x-simulate` header: `delay=500; status=429`.
 *
 * @throws SimulatedError 400, listing the directives, for one that is unknown or has a value it cannot have.
 */
export function readDirectives(text: string): Faults {
  let faults: Faults = {}
  // Several x-simulate headers arrive as one, joined by commas.
  for (const part of text.split(/[;,]/)) {
    const [name = '', value] = part.split('=', 2).map((side) => side.trim())
    if (name !== '') faults = { ...faults, ...faultsOf(name.toLowerCase(), value, part.trim()) }
  }
  return faults
}

/** Reads the directive in a model's name: `simulate-429`, `simulate-reset`, `simulate-delay-2000`, `usage-groq`. Other names ask for nothing. */
export function readModelDirective(model: string): Faults {
  const usage = /^usage-(?<shape>[a-z]+)$/.exec(model)?.groups?.['shape']
  if (usage !== undefined && Object.hasOwn(usageShapes, usage)) return { usage }
  const asked = /^simulate-(?:(?<status>\d+)|(?<name>[a-z-]+?)(?:-(?<value>\d+))?)$/.exec(model)?.groups
  if (asked === undefined) return {}
  if (asked['status'] !== undefined) return faultsOf('status', asked['status'], model)
  return faultsOf(asked['name'] ?? '', asked['value'], model)
}

/** Reads the directives in what the user said: `[simulate: status=429] Hello`. */
export function readSpokenDirectives(text: string): Faults {
  return readDirectives(/\[simulate:(?<directives>[^\]]*)\]/.exec(text)?.groups?.['directives'] ?? '')
}

function faultsOf(name: string, value: string | undefined, asWritten: string): Faults {
  if (name === 'usage' && value !== undefined && Object.hasOwn(usageShapes, value)) return { usage: value }
  const directive = Object.hasOwn(directives, name) ? directives[name] : undefined
  const wanted = directive?.value
  const number = value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  const fits = wanted === undefined ? value === undefined : number >= wanted.min && number <= wanted.max
  if (directive === undefined || !fits) throw unknownDirective(asWritten)
  return directive.faults(number)
}

function unknownDirective(asWritten: string): SimulatedError {
  const known = Object.entries(directives).map(([name, { value, meaning }]) =>
    value ? `${name}=<${value.name}, ${value.min} to ${value.max}> (${meaning})` : `${name} (${meaning})`,
  )
  known.push(`usage=<${Object.keys(usageShapes).join(', ')}> (tell the usage in this shape)`)
  return new SimulatedError({
    status: 400,
    message: `The simulated OpenAI cannot simulate '${asWritten}'. It knows: ${known.join('; ')}.`,
    param: 'x-simulate',
    code: 'unknown_directive',
  })
}

const retryAfterDefaultMs = 20

/** The error that was asked for instead of an answer, in OpenAI's words; undefined: none. */
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
