import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'
import { choicesOf, isFailedResponse, isUnderWay, saysFailure } from './failed-answer.ts'

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
/** Their protocols have a last event of their own; a `[DONE]` behind it, or without it, says nothing of the answer. */
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
/** Every event that means something has one of these in its text, or an escape that may hide it: all others need not be parsed. */
export const TELLING = /error|failed|cancelled|expired|complete|done|message_stop|\\u00/

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

/**
 * Says what an event means for the answer to `endpoint` (the path below `/v1/`).
 *
 * A failure is a name or `type` that says so, or what `saysFailure` finds in the event or its `response`, whatever the order of the
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
 * The same by the event's name and the object that its data are; undefined: they are none, or one that tells nothing.
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
 * Whether an event's data say that its stream is over, whatever came before.
 *
 * @example
 * const isOver = isDone(event.data)
 */
export function isDone(data: string | undefined): boolean {
  return data?.trim() === DONE
}

/**
 * Says what an event means that is the last one so far: behind `[DONE]` nothing comes of any stream.
 *
 * @example
 * const isInFull = meaningAtEnd('responses', parseEvent(lastEvent)) !== 'neither'
 */
export function meaningAtEnd(endpoint: string, event: AnswerEvent): EventMeaning {
  return isDone(event.data) ? 'last' : meaningOf(endpoint, event)
}

/**
 * Whether an event of a chat or text completion says that nothing more of the answer will come: it ends a choice, or tells the
 * usage behind the last one. It may be all that tells, since some servers send no `[DONE]`.
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
 * Keeps account of the choices of a chat or text completion's stream: all that began have to end.
 *
 * @example
 * const choices = new OpenChoices()
 * for (const { data } of events) choices.add(data)
 */
export class OpenChoices {
  readonly #open = new Set<Json>()
  #hasBegun = false

  /** Takes the data of the next event. */
  add(data: string | undefined): void {
    this.addValue(parseObject(data))
  }

  /** Takes the object that an event's data are; undefined: they are none. */
  addValue(value: JsonObject | undefined): void {
    for (const choice of choicesOf(value ?? {})) {
      this.#hasBegun = true
      const index = choice['index'] ?? 0
      if (isFinished(choice)) this.#open.delete(index)
      else this.#open.add(index)
    }
  }

  /** Whether there was one, and each has ended. */
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
