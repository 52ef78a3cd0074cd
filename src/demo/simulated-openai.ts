import type { SimulatedAnswer, SimulatedCall } from './call.ts'
import { lastSaid } from './conversation.ts'
import { type Faults, faultAnswer, readDirectives, readModelDirective, readSpokenDirectives } from './faults.ts'
import { fingerprint } from './fingerprint.ts'
import { isJsonObject, type JsonObject, textOf } from './json-value.ts'
import { parseObject, type ReceivedBody, readBody, requireForm, requireObject } from './read-body.ts'
import { missingKey, noWebSocket, SimulatedError, SimulatedReset, unknownUrl, wrongKey } from './refusals.ts'
import { renderAnswer } from './render-answer.ts'
import { reshapeUsage } from './reshape-usage.ts'
import { createRoutes, findRoute, type Route } from './routes.ts'
import { sleep, untilAborted } from './sleep.ts'

/** How a service that speaks OpenAI's protocol spells what OpenAI spells in another way. */
interface Dialect {
  /** The beginning of its paths, in the place of OpenAI's `/v1`, such as `/v1beta/openai`; may be empty. */
  readonly basePath: string
  /** The header that its key is in; lower case. In `authorization` it stands behind `Bearer`. */
  readonly keyHeader: string
  /** Whether calls of a model go to `/deployments/{model}/…`, and every URL has an `api-version` (Azure). */
  readonly hasDeployments: boolean
}

/** OpenAI's own. */
const OPENAI_DIALECT: Dialect = { basePath: '/v1', keyHeader: 'authorization', hasDeployments: false }

const MODEL_CALL = /^\/(?:chat\/completions|completions|embeddings|images\/|audio\/)/
const DEPLOYMENT = /^\/deployments\/[^/]+(\/.+)$/

/** How a simulated OpenAI behaves. */
export interface SimulatedOpenAIOptions {
  /** Between the events of a stream, in milliseconds; 30 where not given, about as fast as a model. */
  readonly chunkDelayMs?: number
  /** The one key that is let in; any, or none, where not given. */
  readonly requireKey?: string
  /** How its paths and its key are spelt; as OpenAI's where not given. */
  readonly dialect?: Dialect
  /** The time, in milliseconds since 1970, that answers are dated with; always the same where not given. */
  readonly now?: () => number
}

/** A simulated OpenAI: something that answers requests as api.openai.com would. */
interface SimulatedOpenAI {
  /** @throws SimulatedReset where a cut connection was asked for; the signal's reason once the client has left. */
  fetch(request: Request): Promise<Response>
}

const CREATED_DEFAULT_MS = Date.UTC(2025, 0, 1)

/**
 * Makes an OpenAI that needs no key, no network and no model, says so in its answers, and gives the same answer to the
 * same request. Its endpoints and faults are described in docs/simulated-openai.md.
 *
 * @example
 * const openai = createSimulatedOpenAI({ chunkDelayMs: 0 })
 * const response = await openai.fetch(new Request('http://simulated/v1/models'))
 */
export function createSimulatedOpenAI(options: SimulatedOpenAIOptions = {}): SimulatedOpenAI {
  const { chunkDelayMs = 30, requireKey, dialect = OPENAI_DIALECT, now = () => CREATED_DEFAULT_MS } = options
  const routes = createRoutes()

  async function answer(request: Request, received: Received, faults: Faults): Promise<SimulatedAnswer> {
    await begin(faults, request.signal)
    const fault = faultAnswer(faults, received.requestId)
    if (fault !== undefined) return fault
    const { pathname, searchParams: query } = new URL(request.url)
    const path = openaiPath(pathname, query, dialect)
    if (path === undefined) throw unknownUrl(request.method, pathname)
    if (request.headers.get('upgrade')?.toLowerCase() === 'websocket') throw noWebSocket()
    const { route, id } = findRoute(routes, request.method, path)
    const call = { query, id, fingerprint: received.fingerprint, created: Math.floor(now() / 1000) }
    if (faults.usage === undefined) return answerRoute(route, call, received)
    const told = await answerRoute(route, call, { ...received, object: askingForUsage(received.object) })
    return reshapeUsage(told, faults.usage, asksForUsage(received.object))
  }

  return {
    async fetch(request) {
      const { signal } = request
      const received = await receive(request)
      const { requestId } = received
      let faults: Faults = {}
      try {
        authenticate(request.headers, requireKey, dialect.keyHeader)
        if (received.refusal !== undefined) throw received.refusal
        faults = readFaults(request.headers, received.object)
        const answered = await answer(request, received, faults)
        return renderAnswer(answered, { requestId, faults, chunkDelayMs, signal })
      } catch (error) {
        if (!(error instanceof SimulatedError)) throw error
        return renderAnswer(error.answer, { requestId, faults, chunkDelayMs, signal })
      }
    },
  }
}

interface Received extends ReceivedBody {
  /** The JSON object that the body is; undefined where it is something else. */
  readonly object: JsonObject | undefined
  readonly contentType: string | null
  readonly fingerprint: string
  readonly requestId: string
}

async function receive(request: Request): Promise<Received> {
  // Before the body: of a request made in process, Bun forgets a form's type once its body is read.
  const contentType = request.headers.get('content-type')
  const body = await readBody(request)
  const { pathname, search } = new URL(request.url)
  const mark = fingerprint(request.method, pathname + search, body.bytes)
  return {
    ...body,
    object: parseObject(body.bytes),
    contentType,
    fingerprint: mark,
    requestId: `req_simulated_${mark}`,
  }
}

function asksForUsage(body: JsonObject = {}): boolean {
  const { stream_options: options } = body
  return isJsonObject(options) && options['include_usage'] === true
}

/** The same body, asking for the usage of its stream: a shape of usage is made from it. */
function askingForUsage(body: JsonObject | undefined): JsonObject | undefined {
  return body?.['stream'] === true ? { ...body, stream_options: { include_usage: true } } : body
}

/** Header, model name and last message can each ask for faults; what the header says counts most. */
function readFaults(headers: Headers, body: JsonObject = {}): Faults {
  return {
    ...readSpokenDirectives(lastSaid(body)),
    ...readModelDirective(textOf(body['model'])),
    ...readDirectives(headers.get('x-simulate') ?? ''),
  }
}

async function begin({ delayMs = 0, beginning }: Faults, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await sleep(delayMs, signal)
  if (beginning === 'reset') throw new SimulatedReset()
  if (beginning === 'hang') await untilAborted(signal)
}

function answerRoute(
  route: Route,
  call: SimulatedCall,
  { bytes, object, contentType }: Received,
): SimulatedAnswer | Promise<SimulatedAnswer> {
  switch (route.reads) {
    case 'json':
      return route.answer({ ...call, body: requireObject(object, contentType) })
    case 'form':
      return requireForm(bytes, contentType).then((form) => route.answer({ ...call, form }))
    case 'nothing':
      return route.answer(call)
  }
}

/**
 * Looks at the key of a request, as `Authorization: Bearer …`, or alone in another header. Without a required key any will do, and none.
 *
 * `sk-invalid` is wrong always, so that people can see what a wrong key gives.
 *
 * @throws SimulatedError 401
 */
function authenticate(headers: Headers, requiredKey: string | undefined, keyHeader: string): void {
  const key = keyIn(headers, keyHeader)
  if (key === 'sk-invalid') throw wrongKey(key)
  if (requiredKey === undefined || key === requiredKey) return
  throw key === undefined ? missingKey() : wrongKey(key)
}

function keyIn(headers: Headers, keyHeader: string): string | undefined {
  const value = headers.get(keyHeader)
  if (keyHeader !== 'authorization') return value ?? undefined
  return /^bearer +(?<key>\S+) *$/i.exec(value ?? '')?.groups?.['key']
}

/** OpenAI's path for one of a dialect; undefined: the dialect has no such path. */
function openaiPath(path: string, query: URLSearchParams, dialect: Dialect): string | undefined {
  const { basePath, hasDeployments } = dialect
  if (!path.startsWith(`${basePath}/`)) return undefined
  const rest = path.slice(basePath.length)
  if (!hasDeployments) return `/v1${rest}`
  if (!query.has('api-version')) return undefined
  const called = DEPLOYMENT.exec(rest)?.[1]
  if (called !== undefined) return MODEL_CALL.test(called) ? `/v1${called}` : undefined
  return MODEL_CALL.test(rest) ? undefined : `/v1${rest}`
}
