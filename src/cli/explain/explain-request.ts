import type { Config } from '../../config/config.ts'
import type { ReadLimits } from '../../exchange/collect-bytes.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { Principal } from '../../exchange/principal.ts'
import { JsonBody } from '../../formats/json/json-body.ts'
import { chooseRoute } from '../../gateway/choose-route.ts'
import { askedModels } from '../../gateway/list-models.ts'
import { ApiError } from '../../openai/api-error.ts'
import { endpointOf } from '../../openai/endpoint-of.ts'
import { endpointFor, type JsonEndpoint } from '../../openai/endpoints.ts'
import { modelOf, withDefaultModel } from '../../params/default-model.ts'
import { sha256 } from '../../process/sha256.ts'
import { checkInner } from '../../requests/check-inner.ts'
import { checkShape } from '../../requests/check-shape.ts'
import type { OutgoingBody } from '../../requests/outgoing-body.ts'
import { prepareBody } from '../../requests/prepare-body.ts'
import { readCall } from '../../requests/read-call.ts'
import { readHeaders } from '../../requests/read-headers.ts'
import { factsOf } from '../../requests/request-facts.ts'
import { addressDeployment, wantedFrom } from '../../routing/deployment-address.ts'
import { namedIds, pathOf } from '../../routing/named-ids.ts'
import { createRememberedIds } from '../../routing/remembered-ids.ts'
import { createSnapshot, type Snapshot } from '../../routing/snapshot.ts'
import { arrivalOf } from '../../server/arrival.ts'
import { guardRequest } from '../../server/guard.ts'
import { openExchange } from '../../server/request-context.ts'
import { createDeadlines } from '../../timing/deadlines.ts'
import { createLoopGuard } from '../../upstream/loop-guard.ts'
import { explainRoute } from './explain-route.ts'
import { explainRules } from './explain-rules.ts'
import type { ExplainedRoute, Explanation } from './explanation.ts'
import type { RequestToExplain } from './request-file.ts'

/**
 * Works out what would become of a request, with the functions that serve one, up to the moment before sending. An `ApiError` of theirs is
 * the refusal; rejects only for a defect.
 *
 * @example
 * const { rules, route } = await explainRequest(request, principal, config)
 */
export async function explainRequest(
  asked: RequestToExplain,
  principal: Principal,
  config: Config,
): Promise<Omit<Explanation, 'config'>> {
  const deps = { now: () => performance.now(), random: () => 0, deadlines: createDeadlines() }
  const snapshot = createSnapshot(config.settings, deps)
  const exchange = openFor(asked)
  exchange.principal = principal
  const { method, path } = asked
  exchange.endpoint = endpointFor(method, path)
  let outgoing: OutgoingBody | undefined
  let refusal: ApiError | undefined
  let ownAnswer: string | undefined
  let route: ExplainedRoute | undefined
  try {
    guardRequest(method, path, new Headers({ host: 'localhost' }))
    ownAnswer = describeOwnAnswer(askedModels(method, path, snapshot))
    if (ownAnswer === undefined) {
      if (snapshot.restricts) readCall(exchange, snapshot)
      outgoing = await prepareBody(exchange, snapshot, { ...config, reading: readingOf(config) })
      route = await follow({ exchange, outgoing }, snapshot, config)
    }
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    refusal = thrown
  }
  const json = jsonOf(asked.body, exchange.endpoint, config.defaultModel ?? snapshot.assumedModel)
  const model = exchange.model ?? modelOf(json?.value)
  const facts = factsOf(exchange, model)
  const { body, entry } = refusal ?? {}
  return {
    request: { method, path, model, principal: exchange.caller, body: asked.body },
    rules: explainRules(snapshot.rules, { facts, json, refusal, isReached: outgoing !== undefined }),
    refusal: body && entry && { status: entry.status, error: body.error },
    ownAnswer,
    route,
    notes: [...notesOnTarget(exchange), ...notesFor(asked, outgoing, route, snapshot, config)],
  }
}

/** Opens the exchange of a request whose body is complete. */
function openFor({ method, path, headers, body }: RequestToExplain): Exchange {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body)
  const length = bytes && { 'content-length': String(bytes.byteLength) }
  const type = bytes && { 'content-type': 'application/json' }
  const request = new Request('http://localhost/', { method, headers: { ...type, ...lowerCase(headers), ...length } })
  const incoming = bytes && { isComplete: true, whole: () => bytes, stream: () => new Blob([bytes]).stream() }
  return openExchange(request, { ...arrivalOf(request), target: path, body: incoming }, {})
}

function lowerCase(headers: RequestToExplain['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** A request whose body has been prepared. */
interface ReadRequest {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
}

async function follow(read: ReadRequest, snapshot: Snapshot, config: Config): Promise<ExplainedRoute> {
  const { exchange, outgoing } = read
  const { requestTarget: target, request } = exchange
  const loops = createLoopGuard()
  const deps = { mayBorrow: () => config.server.isLoopback && config.auth.lendsToLocal, userAgent: '', loops }
  const route = await chooseRoute(target, outgoing, snapshot, createRememberedIds({ sha256 }))
  checkShape(exchange, outgoing, route)
  checkInner(outgoing.inner, route, snapshot)
  if (snapshot.restricts) checkInner(readHeaders(exchange, snapshot), route, snapshot)
  return explainRoute(
    {
      method: request.method,
      principal: exchange.principal.kind,
      target,
      endpoint: endpointOf(target),
      route,
      outgoing,
      addressOf: (deployment, model) =>
        addressDeployment(exchange, deployment, wantedFrom(exchange, model), snapshot, deps),
    },
    snapshot,
  )
}

/** Gives the body as the rules see it. */
function jsonOf(
  body: string | undefined,
  endpoint: JsonEndpoint | undefined,
  model: string | undefined,
): JsonBody | undefined {
  if (body === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  const json = new JsonBody(new TextEncoder().encode(body), value)
  return endpoint === undefined || model === undefined ? json : withDefaultModel(json, model)
}

function describeOwnAnswer(asked: ReturnType<typeof askedModels>): string | undefined {
  if (asked === undefined) return undefined
  return asked === 'all' ? 'the list of the models that it offers' : `the model "${asked.id}"`
}

function notesOnTarget({ named, requestTarget: target }: Exchange): string[] {
  if (named === undefined) return []
  const what = named.plainTarget === undefined ? 'it decides' : `this is the call ${target} of it`
  return [`The URL names the model "${named.model}": ${what}.`]
}

function notesFor(
  { principal, path }: RequestToExplain,
  outgoing: OutgoingBody | undefined,
  route: ExplainedRoute | undefined,
  { remembersIds }: Snapshot,
  { auth }: Config,
): string[] {
  const notes: string[] = []
  const ids = remembersIds && outgoing !== undefined ? namedIds(pathOf(path), outgoing.value).certain : []
  if (ids.length > 0)
    notes.push(`A server that has given out ${ids.join(', ')} sends this to the upstream that it is from.`)
  const spendsKey = route?.targets.some(({ key }) => key.startsWith("the server's")) === true
  const others = auth.tokens.length - 1
  if (principal === undefined && auth.required && others > 0)
    notes.push(
      'Several tokens are set up, and this is for the first. For another, write "principal": "NAME" beside the body.',
    )
  if (principal === undefined && !auth.required && spendsKey)
    notes.push(
      'That is for the holder of a token, and none is set up here (REQUIRE_AUTH). For others, write "principal": "caller" or "local" beside the body.',
    )
  return notes
}

function readingOf({ limits }: Config): ReadLimits {
  return { bytesMax: limits.jsonBytesMax, memory: new MemoryBudget(limits.memoryBytesMax) }
}
