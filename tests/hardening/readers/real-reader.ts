import { sendRaw } from '../../helpers/raw-client.ts'
import { parseLoose } from '../caps/loose-json.ts'
import { callOf } from '../caps/path-readers.ts'
import { isPlainObject, type PlainObject, type PlainValue, takeJson } from '../caps/plain-value.ts'
import type { Reading } from '../caps/read-request.ts'

/** A real server, asked for what it reads in requests. */
export interface RealReader {
  readonly name: string
  /** What it has read in a request; nothing where it has no such route, or refuses it. */
  readonly read: (request: Uint8Array) => Promise<readonly Reading[]>
}

const BEFORE = ['', '/v1', '/openai', '/openai/v1', '/v1/openai', '/v1/v1']
const CALLS = [
  ...['chat/completions', 'completions', 'responses', 'embeddings', 'moderations', 'messages', 'messages/batches'],
  ...['audio/speech', 'audio/transcriptions', 'audio/translations', 'images/generations', 'images/edits'],
  ...['realtime/client_secrets', 'realtime/sessions', 'batches'],
]
const NAMED = ['chat/completions', 'completions', 'embeddings', 'images/generations']

/** The routes of all real servers: `/v1/chat/completions`, `/engines/{model}/completions`. */
export const ROUTES = BEFORE.flatMap((before) => [
  ...CALLS.map((call) => `${before}/${call}`),
  ...NAMED.flatMap((call) => [`${before}/deployments/{model}/${call}`, `${before}/engines/{model}/${call}`]),
])

/** A reader that is a server on a port of 127.0.0.1, which answers with what it has read. */
export function createServerReader(name: string, port: number): RealReader {
  return {
    name,
    async read(request) {
      // Who ends the connection without an answer has read nothing.
      const answer = await sendRaw(port, request).catch(() => undefined)
      return answer?.status === 200 ? readingsIn(answer.text(), name) : []
    },
  }
}

/** Reads such an answer: its `route`, the `model` in its path, its `query`, and its `bodies`. */
function readingsIn(text: string, reader: string): readonly Reading[] {
  const said = takeJson(parseLoose(text), { fold: (name) => name, picks: 'last' })
  if (!isPlainObject(said)) return []
  const { route, model, query, bodies } = said
  const call = callOf(String(route))
  if (call === undefined) return []
  const read = (Array.isArray(bodies) ? bodies : []).filter(isPlainObject)
  const named = call.model === undefined ? undefined : String(model ?? '')
  return (read.length === 0 ? [objectOf(undefined)] : read).map((body) => ({
    ...{ reader, endpoint: call.endpoint, model: named, inHeaders: [], body, query: objectOf(query) },
  }))
}

function objectOf(value: PlainValue): PlainObject {
  return isPlainObject(value) ? value : (Object.create(null) as PlainObject)
}
