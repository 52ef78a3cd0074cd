import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { STATEFUL_RESOURCES } from './resources.ts'

/** No error has its words deeper than this; deeper values are not searched. */
const ERROR_DEPTH = 4
const FAILED: ReadonlySet<unknown> = new Set(['failed', 'cancelled'])
const UNDER_WAY: ReadonlySet<unknown> = new Set(['queued', 'in_progress'])

/**
 * Whether a JSON answer with a status of 2xx reports a failure: by an error in it (`saysFailure`), by an `object` or `type` that is
 * an error's, or as a response that has failed or was cancelled. An object that was made and has failed since, such as a job with its
 * id, is the answer that was asked for.
 *
 * @example
 * const isKept = !isFailedAnswer('responses', JSON.parse(text))
 */
export function isFailedAnswer(endpoint: string, value: unknown): boolean {
  if (!isJsonObject(value)) return false
  if (value['type'] === 'error' || value['object'] === 'error') return true
  if (endpoint === 'responses') return saysFailure(value) || isFailedResponse(value)
  return saysFailure(value) && !(isOfResource(endpoint) && isMadeObject(value))
}

/**
 * Whether an answer, or an event of one, reports a failure: by an `error` of its own or of one of its `choices` that is not
 * empty, or by `finish_reason: "error"`. Some servers always write the member, with an empty value (`{}`, `[]`, `""`, `0`, `false`, or an
 * object of such members). An empty `error` is a failure only if there is no other member.
 *
 * @example
 * if (saysFailure(value)) return 'failure'
 */
export function saysFailure(value: JsonObject): boolean {
  const { error } = value
  if (tellsError(error)) return true
  if (typeof error === 'object' && error !== null && isAlone(value)) return true
  return choicesOf(value).some((choice) => tellsError(choice['error']) || choice['finish_reason'] === 'error')
}

/** Whether a response of `/v1/responses` has failed, or was cancelled. */
export function isFailedResponse({ status, error }: JsonObject): boolean {
  return tellsError(error) || FAILED.has(status)
}

/**
 * Whether a response is still being made upstream, or will be: that goes on, whatever becomes of this answer.
 *
 * @example
 * const verdict = isUnderWay(value) ? 'begun' : 'whole'
 */
export function isUnderWay({ status }: JsonObject): boolean {
  return UNDER_WAY.has(status)
}

/** The choices of a completion that are objects. */
export function choicesOf({ choices }: JsonObject): readonly JsonObject[] {
  return Array.isArray(choices) ? choices.filter(isJsonObject) : []
}

function tellsError(error: unknown): boolean {
  return !isBlank(error, ERROR_DEPTH)
}

/** Whether the error is the only member that is not empty. */
function isAlone({ error: _error, ...others }: JsonObject): boolean {
  return Object.values(others).every(isEmpty)
}

function isBlank(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.trim() === ''
  if (typeof value !== 'object' || value === null) return !value
  return depth > 0 && Object.values(value).every((member) => isBlank(member, depth - 1))
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : isBlank(value, 0)
}

function isOfResource(endpoint: string): boolean {
  return STATEFUL_RESOURCES.has(endpoint.split('/', 1)[0] ?? '')
}

function isMadeObject({ id, object }: JsonObject): boolean {
  return typeof id === 'string' && typeof object === 'string'
}
