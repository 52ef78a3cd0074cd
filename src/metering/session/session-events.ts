import { readAnyBytes } from '../../formats/bytes/byte-string.ts'
import { foldsTo } from '../../formats/json/fold-name.ts'
import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { JsonBody } from '../../formats/json/json-body.ts'
import { ApiError } from '../../openai/api-error.ts'

/** The protocols of sessions whose responses are counted: those of `/v1/responses` and of `/v1/realtime`. */
export type SessionProtocol = 'responses' | 'realtime'

/** An event of a client, read. */
export interface ClientEvent {
  readonly type: string
  readonly value: JsonObject
  readonly json: JsonBody
}

/** What may begin a response, or change what responses cost. An escape (`\u0072`) may spell any of it. */
const DECIDING = /response\.|session\.|\\u/
const SOUND = 'input_audio_buffer.append'
/** Events of an upstream that begin or end a response, tell what a session is, or refuse something. */
const TELLING =
  /"(?:response\.(?:created|done|completed|failed|incomplete|cancelled|steer\.failed)|session\.(?:created|updated)|error)"/
const TEXTS = new TextDecoder()
let given = 0

/**
 * Reads an event of a client as far as it matters, by its bytes before any parser: what it is if it is one of sounds, or of no matter here;
 * else all of it. `isAllRead`: all of them matter, because any may name a model.
 *
 * Throws `invalid_json`, and `rules_not_applicable` for one that others may read as another event.
 *
 * @example
 * const event = readClientEvent(payload, false)
 */
export function readClientEvent(payload: Uint8Array<ArrayBuffer>, isAllRead: boolean): ClientEvent | 'sound' | 'plain' {
  const text = readAnyBytes(payload)
  const isSound = text.includes(SOUND)
  if (!DECIDING.test(text) && !(isAllRead && !isSound)) return isSound ? 'sound' : 'plain'
  const json = new JsonBody(payload, parsed(payload))
  const { value } = json
  if (!isJsonObject(value)) throw new ApiError('invalid_json')
  const types = json.members.filter(({ key }) => foldsTo(key, 'type'))
  const { type } = value
  if (types.length !== 1 || types[0]?.key !== 'type' || typeof type !== 'string') {
    throw new ApiError('rules_not_applicable', {
      message: "Send the type of an event once, as a string with the name 'type'.",
      param: 'type',
    })
  }
  return type === SOUND ? 'sound' : { type, value, json }
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(TEXTS.decode(payload))
  } catch {
    throw new ApiError('invalid_json')
  }
}

/** Whether an event of an upstream may begin or end a response, tell what its session is, or refuse something; most don't. */
export function mayTellTurn(text: string): boolean {
  return TELLING.test(text)
}

/** The event by which a client is told that one of its own was refused, in OpenAI's form for the protocol. */
export function refusalEvent(
  { body, entry }: ApiError,
  protocol: SessionProtocol,
  { value }: Pick<ClientEvent, 'value'> = { value: {} },
): string {
  const { message, type, param, code } = body.error
  if (protocol === 'realtime') {
    given += 1
    const of = value['event_id']
    const error = { type, code, message, param, event_id: typeof of === 'string' ? of : null }
    return JSON.stringify({ type: 'error', event_id: `event_nexcode${given}`, error })
  }
  const lane = value['stream_id']
  const error = { type, code, message, param }
  return JSON.stringify({
    type: 'error',
    status: entry.status,
    error,
    ...(typeof lane === 'string' && { stream_id: lane }),
  })
}
