import { isJsonObject, type JsonObject } from '../formats/json/json.ts'

/** The statuses of errors by their words, for errors without a status; the more exact words come first. */
const STATUS_OF_WORDS: readonly (readonly [words: RegExp, status: number])[] = [
  [/rate_?limit|too_?many_?requests|insufficient_quota|resource_exhausted/i, 429],
  [/overloaded|unavailable|capacity/i, 503],
  [/invalid_api_key|authentication|unauthenticated|unauthorized/i, 401],
  [/permission|forbidden/i, 403],
  [/not_?found/i, 404],
  [
    /invalid_?request|bad_?request|context_length|content_(?:filter|policy)|invalid_argument|invalid_(?:prompt|value|type)/i,
    400,
  ],
  [/server_?error|internal|api_error|timeout/i, 500],
]

/** Statuses for which no target is to blame, and another target need not be asked: the request itself is at fault. */
const OF_THE_CALLER: ReadonlySet<number> = new Set([400, 403, 404, 405, 410, 411, 413, 415, 422, 451])

/**
 * Whether a status is the caller's own fault, and not that of a target or of a key.
 *
 * @example
 * if (isCallers(statusOfError(value))) return
 */
export function isCallers(status: number | undefined): boolean {
  return status !== undefined && OF_THE_CALLER.has(status)
}

/**
 * Gives the status that an error in a body would have had as a response: by the number in it, else by its `code` and `type`;
 * undefined: it tells none. `value` is the JSON of an answer or of an event of its stream.
 *
 * @example
 * const status = statusOfError({ error: { message: 'Slow down', type: 'rate_limit_error' } })
 */
export function statusOfError(value: JsonObject): number | undefined {
  const response = isJsonObject(value['response']) ? value['response'] : undefined
  const error = [value['error'], response?.['error'], firstChoiceError(value), value].find(isJsonObject) ?? value
  for (const told of [error['status_code'], error['status'], error['code'], error['http_code'], value['status_code']]) {
    const status = typeof told === 'string' && /^\d{3}$/.test(told) ? Number(told) : told
    if (typeof status === 'number' && status >= 400 && status < 600) return status
  }
  for (const word of [error['code'], error['type'], error['status']]) {
    if (typeof word !== 'string') continue
    const found = STATUS_OF_WORDS.find(([words]) => words.test(word))
    if (found !== undefined) return found[1]
  }
  return undefined
}

function firstChoiceError({ choices }: JsonObject): unknown {
  return Array.isArray(choices)
    ? choices.filter(isJsonObject).find(({ error }) => isJsonObject(error))?.['error']
    : undefined
}
