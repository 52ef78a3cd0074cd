import { isJsonObject, type JsonObject } from '../json/json.ts'

/** What an event of an answer's stream says, as far as it matters to all endpoints alike. */
export interface AnswerEvent {
  /** The name in its `event` line. */
  readonly event?: string | undefined
  /** Its data, as text; undefined: it has none. */
  readonly data?: string | undefined
}

/**
 * What an event means for the answer that it is a part of: `last`: the answer is there in full, and nothing follows that
 * anybody waits for; `failure`: the answer has failed.
 */
export type EventMeaning = 'last' | 'failure' | 'neither'

/** What stands in place of an event's JSON when a stream of OpenAI's is over. */
const DONE = '[DONE]'
/** Their protocols have a last event of their own; a `[DONE]` behind it, or without it, says nothing. */
const WITHOUT_DONE: ReadonlySet<string> = new Set(['responses', 'messages'])
/** The names of events with which an answer is complete, whatever else it holds (OpenAI's specification; Anthropic's Messages API). */
const LAST: ReadonlySet<string> = new Set([
  'message_stop',
  'image_generation.completed',
  'image_edit.completed',
  'transcript.text.done',
  'speech.audio.done',
])
/** Those that hold the response as it has become, which may be a failure all the same. */
const LAST_OF_RESPONSE: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.done'])
const FAILURES: ReadonlySet<string> = new Set([
  'error',
  'response.failed',
  'response.cancelled',
  'thread.run.failed',
  'thread.run.cancelled',
  'thread.run.expired',
])
const UNFINISHED: ReadonlySet<unknown> = new Set(['failed', 'cancelled', 'queued', 'in_progress'])

/**
 * Says what an event means for the answer to `endpoint` (the path below `/v1/`).
 *
 * A failure is a name or `type` that says so, a non-null `error` of the event, of its `response` or of one of its `choices`, or
 * `finish_reason: "error"`, whatever the order of the members. `"error": null` is none.
 *
 * @example
 * const meaning = meaningOf('chat/completions', parseEvent(piece.bytes))
 */
export function meaningOf(endpoint: string, { event, data }: AnswerEvent): EventMeaning {
  const text = data?.trim()
  if (text === DONE) return WITHOUT_DONE.has(endpoint) ? 'neither' : 'last'
  const value = parseObject(text)
  const type = typeof value?.['type'] === 'string' ? value['type'] : undefined
  if (isNamed(FAILURES, event, type) || (value !== undefined && saysFailure(value))) return 'failure'
  if (isNamed(LAST_OF_RESPONSE, event, type)) {
    const response = value?.['response']
    return isJsonObject(response) && isFailedResponse(response) ? 'failure' : 'last'
  }
  return isNamed(LAST, event, type) ? 'last' : 'neither'
}

/**
 * Whether a JSON answer with a status of 2xx is the report of a failure: a non-null `error` of the answer or of one of its
 * `choices`, `finish_reason: "error"`, an object or `type` of an error, or of a response one that is not finished. A response
 * that was to be made in the background is what was asked for while it is not.
 *
 * @example
 * const isKept = !isFailedAnswer('responses', JSON.parse(text))
 */
export function isFailedAnswer(endpoint: string, value: unknown): boolean {
  if (!isJsonObject(value)) return false
  if (saysFailure(value) || value['type'] === 'error' || value['object'] === 'error') return true
  return endpoint === 'responses' && isFailedResponse(value)
}

/**
 * Whether an event ends one choice of a chat or text completion: the last of them may be all that tells of an answer's end,
 * since some servers send no `[DONE]`.
 *
 * @example
 * hasFinished ||= finishesChoice(data)
 */
export function finishesChoice(data: string | undefined): boolean {
  return choicesOf(parseObject(data) ?? {}).some(({ finish_reason: reason }) => typeof reason === 'string')
}

/**
 * The endpoints whose stream is broken where it ends without its last event, as far as nothing else can tell: their protocols
 * have one.
 *
 * @example
 * const isBroken = ENDPOINTS_WITH_LAST_EVENT.has(endpoint) && !hasSeenLast
 */
export const ENDPOINTS_WITH_LAST_EVENT: ReadonlySet<string> = new Set([
  'chat/completions',
  'completions',
  'responses',
  'messages',
  'images/generations',
  'images/edits',
  'audio/transcriptions',
  'audio/speech',
])

function isNamed(names: ReadonlySet<string>, event: string | undefined, type: string | undefined): boolean {
  return (event !== undefined && names.has(event)) || (type !== undefined && names.has(type))
}

function saysFailure(value: JsonObject): boolean {
  if (isError(value['error'])) return true
  return choicesOf(value).some(({ error, finish_reason: reason }) => isError(error) || reason === 'error')
}

function isFailedResponse({ status, error, background }: JsonObject): boolean {
  if (isError(error)) return true
  const isUnderWay = status === 'queued' || status === 'in_progress'
  return UNFINISHED.has(status) && !(isUnderWay && background === true)
}

function choicesOf({ choices }: JsonObject): readonly JsonObject[] {
  return Array.isArray(choices) ? choices.filter(isJsonObject) : []
}

/** Some objects have an `error` without anything in it where nothing has failed. */
function isError(error: unknown): boolean {
  if (error === undefined || error === null || error === false || error === '') return false
  return !isJsonObject(error) || Object.values(error).some((member) => member !== null)
}

function parseObject(text: string | undefined): JsonObject | undefined {
  if (text?.trimStart().startsWith('{') !== true) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
