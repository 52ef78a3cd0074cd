import type { Scrub } from './scrub.ts'

const REQUEST_HEADERS = ['accept', 'content-type', 'openai-beta'] as const

const ANSWER_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-type',
  'openai-model',
  'openai-processing-ms',
  'openai-version',
  'retry-after',
  'retry-after-ms',
  'x-request-id',
  'x-should-retry',
] as const

/** The boundary between a form's parts: each request has another one. */
const BOUNDARY = /;\s*boundary=(?:"[^"]*"|[^\s;]+)/i

/** The headers of a request that a cassette keeps: those of a fixed list, without those that hold a secret. */
export function keptRequestHeaders(headers: Headers, scrub: Scrub): Record<string, string> {
  const kept = keep(headers, REQUEST_HEADERS, scrub)
  const type = kept['content-type']
  return type === undefined ? kept : { ...kept, 'content-type': type.replace(BOUNDARY, '') }
}

/** The headers of an answer that a cassette keeps: those of a fixed list and rate limits, without those that hold a secret. */
export function keptAnswerHeaders(headers: Headers, scrub: Scrub): Record<string, string> {
  const limits = [...headers.keys()].filter((name) => name.startsWith('x-ratelimit-'))
  return keep(headers, [...ANSWER_HEADERS, ...limits], scrub)
}

function keep(headers: Headers, names: readonly string[], scrub: Scrub): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null && scrub.text(value) === value) kept[name] = value
  }
  return kept
}
