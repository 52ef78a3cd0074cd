import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'
import { choicesOf, isFailedResponse, isUnderWay, saysFailure } from './failed-answer.ts'

/** An event of an answer's stream, in the fields that all endpoints share. */
export interface AnswerEvent {
  /** The name in its `event` line. */
  readonly event?: string | undefined
  /** Its data, as text; undefined: it has none. */
  readonly data?: string | undefined
}

/**
 * The meaning of an event for its answer. `last`: the answer is complete, and nothing follows that
 * anybody waits for; `failure`: the answer has failed.
 */
export type EventMeaning = 'last' | 'failure' | 'neither'

/** The data of an event that ends a stream of OpenAI's, in place of JSON. */
const DONE = '[DONE]'
/** These protocols have a last event of their own; a `[DONE]`, or its absence, says nothing of the answer. */
const WITHOUT_DONE: ReadonlySet<string> = new Set(['responses', 'messages'])
/** The names of events that complete an answer, whatever else they hold (OpenAI's specification; Anthropic's Messages API). */
const LAST: ReadonlySet<string> = new Set([
  'message_stop',
  'image_generation.completed',
  'image_edit.completed',
  'transcript.text.done',
  'speech.audio.done',
])
/** Those that hold the finished response, which may be a failure all the same. */
const LAST_OF_RESPONSE: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.done'])
const FAILURES: ReadonlySet<string> = new Set([
  'error',
  'response.failed',
  'response.cancelled',
  'thread.run.failed',
  'thread.run.cancelled',
  'thread.run.expired',
])
/** Every event that has a meaning matches this, or has an escape that may hide it: all others need not be parsed. */
export const TELLING = /error|failed|cancelled|expired|complete|done|message_stop|\\u00/

/**
 * The endpoints whose protocols have a last event: a stream without it is broken, unless something else tells that the answer
 * is complete.
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

/**
 * Gives the meaning of an event for the answer to `endpoint` (the path below `/v1/`).
 *
 * An event is a failure by its name or `type`, or by an error that `saysFailure` finds in it or its `response`, in any order of the
 * members.
 *
 * @example
 * const meaning = meaningOf('chat/completions', parseEvent(piece.bytes))
 */
export function meaningOf(endpoint: string, { event, data }: AnswerEvent): EventMeaning {
  const text = data?.trim()
  if (isDone(text)) return WITHOUT_DONE.has(endpoint) ? 'neither' : 'last'
  return meaningOfValue(event, text !== undefined && TELLING.test(text) ? parseObject(text) : undefined)
}

/**
 * Gives the meaning by the event's name and its data's object; undefined: the data are no object, or one without a meaning.
 *
 * @example
 * const meaning = meaningOfValue('response.completed', value)
 */
export function meaningOfValue(event: string | undefined, value: JsonObject | undefined): EventMeaning {
  const type = typeof value?.['type'] === 'string' ? value['type'] : undefined
  if (isNamed(FAILURES, event, type) || (value !== undefined && saysFailure(value))) return 'failure'
  if (isNamed(LAST_OF_RESPONSE, event, type)) {
    const response = value?.['response']
    if (!isJsonObject(response)) return 'last'
    if (isFailedResponse(response)) return 'failure'
    return isUnderWay(response) ? 'neither' : 'last'
  }
  return isNamed(LAST, event, type) ? 'last' : 'neither'
}

/**
 * Whether an event's data end its stream, whatever came before.
 *
 * @example
 * const isOver = isDone(event.data)
 */
export function isDone(data: string | undefined): boolean {
  return data?.trim() === DONE
}

/**
 * Gives the meaning of an event that is the last one so far: nothing follows `[DONE]` in any stream.
 *
 * @example
 * const isInFull = meaningAtEnd('responses', parseEvent(lastEvent)) !== 'neither'
 */
export function meaningAtEnd(endpoint: string, event: AnswerEvent): EventMeaning {
  return isDone(event.data) ? 'last' : meaningOf(endpoint, event)
}

/**
 * Whether an event of a chat or text completion ends a choice, or reports the usage after the last choice, so that nothing more of the
 * answer will come. Nothing else may tell so, since some servers send no `[DONE]`.
 *
 * @example
 * const isFinished = events.some(({ data }) => finishesAnswer(data))
 */
export function finishesAnswer(data: string | undefined): boolean {
  const value = parseObject(data)
  if (value === undefined) return false
  const { choices, usage } = value
  if (Array.isArray(choices) && choices.length === 0) return isJsonObject(usage)
  return choicesOf(value).some(isFinished)
}

/**
 * Counts the choices of a chat or text completion's stream: all that began have to end.
 *
 * @example
 * const choices = new OpenChoices()
 * for (const { data } of events) choices.add(data)
 */
export class OpenChoices {
  readonly #open = new Set<Json>()
  #hasBegun = false

  /** Adds the data of the next event. */
  add(data: string | undefined): void {
    this.addValue(parseObject(data))
  }

  /** Adds the object of an event's data; undefined: the data are no object. */
  addValue(value: JsonObject | undefined): void {
    for (const choice of choicesOf(value ?? {})) {
      this.#hasBegun = true
      const index = choice['index'] ?? 0
      if (isFinished(choice)) this.#open.delete(index)
      else this.#open.add(index)
    }
  }

  /** Whether there was a choice, and each has ended. */
  get areFinished(): boolean {
    return this.#hasBegun && this.#open.size === 0
  }
}

function isNamed(names: ReadonlySet<string>, event: string | undefined, type: string | undefined): boolean {
  return (event !== undefined && names.has(event)) || (type !== undefined && names.has(type))
}

function isFinished({ finish_reason: reason }: JsonObject): boolean {
  return typeof reason === 'string'
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
