import type { Principal } from './auth/authorize.ts'
import { applyCredentials, spendsServerKey, type UpstreamAccount, withoutToken } from './auth/credentials.ts'
import { limitBytes, readStart, tooLarge } from './body/read-bytes.ts'
import { type JsonBody, readJson } from './body/read-json.ts'
import { type DeliverDeps, deliver } from './deliver.ts'
import type { Exchange } from './exchange.ts'
import type { Admission } from './limits/admission.ts'
import { assertRequest, type JsonEndpoint } from './openai/endpoints.ts'
import { insertDefaultModel, modelOf, wantsStream } from './policy/default-model.ts'
import { requestHeaders } from './upstream/headers.ts'
import type { Send, UpstreamBody } from './upstream/send.ts'
import type { Locate } from './upstream/target.ts'

/** What the flow needs; all of it comes from the composition root. */
export interface PipelineDeps extends DeliverDeps {
  readonly upstream: UpstreamAccount
  readonly locate: Locate
  readonly defaultModel: string
  readonly limits: { readonly jsonBytesMax: number; readonly uploadBytesMax: number }
  readonly admission: Admission
  readonly send: Send
  readonly userAgent: string
}

/**
 * The flow of a request that a principal may make: admit, read and check the body, apply policy, send, deliver.
 *
 * An `endpoint` has a body that is read and checked; without one, everything passes through as it comes.
 * Throws an `ApiError`; the exchange's end is reported by whoever renders it.
 */
export async function handle(
  exchange: Exchange,
  principal: Principal,
  endpoint: JsonEndpoint | undefined,
  deps: PipelineDeps,
): Promise<Response> {
  exchange.atEnd(deps.admission.admit())
  const { request, abort } = exchange
  const { url, target } = deps.locate(withoutToken(exchange.target, principal))
  const headers = requestHeaders(request.headers)
  applyCredentials(headers, principal, deps.upstream)
  if (!headers.has('user-agent')) headers.set('user-agent', deps.userAgent)

  const reading = endpoint === undefined ? passBody(exchange, deps) : checkBody(exchange, endpoint, headers, deps)
  const body = reading instanceof Promise ? await reading : reading

  exchange.attempts += 1
  const sentAt = performance.now()
  const answer = await deps.send({ url, target, method: request.method, headers, body, abort })
  exchange.upstreamMs = performance.now() - sentAt
  const secret = spendsServerKey(principal) ? deps.upstream.apiKey : undefined
  return deliver(exchange, endpoint, answer, secret, deps)
}

/** What came with the head is there at once: a promise for each step would cost more than the step. */
function checkBody(
  exchange: Exchange,
  endpoint: JsonEndpoint,
  headers: Headers,
  deps: PipelineDeps,
): UpstreamBody | Promise<UpstreamBody> {
  const body = readJson(exchange, deps.limits.jsonBytesMax)
  if (body instanceof Promise) return body.then((read) => applyPolicy(exchange, endpoint, headers, read, deps))
  return applyPolicy(exchange, endpoint, headers, body, deps)
}

function applyPolicy(
  exchange: Exchange,
  endpoint: JsonEndpoint,
  headers: Headers,
  body: JsonBody,
  deps: PipelineDeps,
): UpstreamBody {
  assertRequest(endpoint, body.value)
  exchange.stream = wantsStream(body.value)
  const changed = insertDefaultModel(body, deps.defaultModel)
  exchange.model = changed === undefined ? modelOf(body.value) : deps.defaultModel
  if (changed === undefined) return body.encoded ?? body.bytes
  // A changed body goes on decoded, with the length that it has now.
  headers.delete('content-encoding')
  headers.delete('content-length')
  return changed
}

function passBody({ request, body }: Exchange, deps: PipelineDeps): UpstreamBody | Promise<UpstreamBody> {
  if (body === undefined) return null
  const { uploadBytesMax } = deps.limits
  const declared = request.headers.get('content-length')
  // What came chunked goes on chunked.
  if (declared === null) return limitBytes(body.stream(), uploadBytesMax)
  if (Number(declared) > uploadBytesMax) throw tooLarge(uploadBytesMax)
  if (body.isComplete) return body.whole()
  const isJson = request.headers.get('content-type')?.startsWith('application/json') === true
  return isJson ? readStart(body.stream(), Number(declared)) : body.stream()
}
