import { Exchange } from '../../exchange/exchange.ts'
import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { membersOf } from '../../formats/json/members.ts'
import { arrivalOf } from '../../server/arrival.ts'
import { SERVED_METHODS } from '../../server/guard.ts'
import { isServed } from '../../server/routes/openai.ts'

/** A request to explain. */
export interface RequestToExplain {
  readonly method: string
  /** The path with `/v1` and the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** A token's name, `token`, `caller` or `local`; undefined: the file names none. */
  readonly principal: string | undefined
  /** The text of the body, exactly as a client would send it; undefined: none. */
  readonly body: string | undefined
}

const CHAT = '/v1/chat/completions'
/** The members of an envelope. The lines of a batch file have `url` and `custom_id`, and can be explained unchanged. */
const KEYS = new Set(['path', 'url', 'method', 'headers', 'principal', 'body', 'custom_id'])

/**
 * Reads the file of a request: a JSON body alone, or an object with any of `path`, `method`, `headers`, `principal` and `body`. A text is
 * the problem of the file: the end of a sentence that begins with the file's name.
 *
 * @example
 * const request = readRequestFile('{"model":"smart","messages":[]}', undefined)
 */
export function readRequestFile(text: string, path: string | undefined): RequestToExplain | string {
  const source = text.replace(/^\uFEFF/, '')
  let value: Json
  try {
    value = JSON.parse(source) as Json
  } catch {
    return 'is no JSON. Write the JSON body of a request into it; forms (multipart) are not explained.'
  }
  const envelope = isEnvelope(value) ? value : undefined
  const asked = envelope === undefined ? bodyAlone(source, path) : readEnvelope(envelope, source, path)
  return typeof asked === 'string' ? asked : (faultOf(asked) ?? asked)
}

/**
 * Opens the exchange of a request to explain, whose body is complete.
 *
 * @example
 * const exchange = openExchangeFor(request)
 */
export function openExchangeFor({ method, path, headers, body }: RequestToExplain): Exchange {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body)
  const length = bytes && { 'content-length': String(bytes.byteLength) }
  const type = bytes && { 'content-type': 'application/json' }
  const request = new Request('http://localhost/', { method, headers: { ...type, ...lowerCase(headers), ...length } })
  const incoming = bytes && { isComplete: true, whole: () => bytes, stream: () => new Blob([bytes]).stream() }
  return new Exchange(request, { ...arrivalOf(request), target: path, body: incoming }, {})
}

function lowerCase(headers: RequestToExplain['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Whether a value is an envelope: no body of OpenAI's API has a member `body`. */
function isEnvelope(value: Json): value is JsonObject {
  if (!isJsonObject(value)) return false
  const keys = Object.keys(value)
  return keys.includes('body') || (keys.length > 0 && keys.every((key) => KEYS.has(key)))
}

function bodyAlone(body: string, path: string | undefined): RequestToExplain {
  return { method: 'POST', path: path ?? CHAT, headers: {}, principal: undefined, body }
}

function readEnvelope(envelope: JsonObject, source: string, path: string | undefined): RequestToExplain | string {
  const surplus = Object.keys(envelope).find((key) => !KEYS.has(key))
  if (surplus !== undefined)
    return `has "${surplus}" beside a body. There can be path, method, headers, principal and body.`
  const { method, headers, principal, url } = envelope
  const target = envelope['path'] ?? url
  for (const [name, part] of Object.entries({ path: target, method, principal }))
    if (part !== undefined && typeof part !== 'string') return `has a ${name} that is no text.`
  if (headers !== undefined && !isJsonObject(headers)) return 'has headers that are no object of names and values.'
  const body = bodyOf(envelope, source)
  return {
    method: textOf(method)?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'),
    path: path ?? textOf(target) ?? CHAT,
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)])),
    principal: textOf(principal),
    body,
  }
}

/** Gives the body. A text is the body itself; any other value is cut from the file, with its own spaces and numbers. */
function bodyOf({ body }: JsonObject, source: string): string | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return body
  const bytes = new TextEncoder().encode(source)
  const member = membersOf(bytes).findLast(({ key }) => key === 'body')
  return member && new TextDecoder().decode(bytes.subarray(member.valueStart, member.valueEnd))
}

function faultOf({ method, path, headers, body }: RequestToExplain): string | undefined {
  if (!path.startsWith('/'))
    return `goes to the path "${path}", which does not begin with a slash. Write it like ${CHAT}.`
  if (!isServed(path)) return `goes to the path "${path}", which is none of OpenAI's API. Write it like ${CHAT}.`
  if (!SERVED_METHODS.has(method)) return `names the method "${method}". There are ${[...SERVED_METHODS].join(', ')}.`
  if (body !== undefined && (method === 'GET' || method === 'HEAD'))
    return `has a body, and the method ${method}, which goes without one.`
  let type: string | null
  try {
    type = new Headers(headers).get('content-type')
  } catch {
    return 'has a header that cannot be sent: look for spaces, line breaks and other such characters.'
  }
  if (type?.toLowerCase().startsWith('multipart/') !== true) return undefined
  return 'is a form (multipart), and these are not explained: only bodies of JSON are. docs/parameters.md says what rules do to forms.'
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
