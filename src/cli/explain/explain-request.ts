import type { Config } from '../../config/config.ts'
import { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { Principal } from '../../exchange/principal.ts'
import { JsonBody } from '../../formats/json/json-body.ts'
import { askedModels } from '../../gateway/list-models.ts'
import { ApiError } from '../../openai/api-error.ts'
import { endpointFor, type JsonEndpoint } from '../../openai/endpoints.ts'
import { modelOf, withDefaultModel } from '../../params/default-model.ts'
import type { OutgoingBody } from '../../requests/outgoing-body.ts'
import { prepareBody } from '../../requests/prepare-body.ts'
import { readCall } from '../../requests/read-call.ts'
import { factsOf } from '../../requests/request-facts.ts'
import { createSnapshot, type Snapshot } from '../../routing/snapshot.ts'
import { guardRequest } from '../../server/guard.ts'
import { createDeadlines } from '../../timing/deadlines.ts'
import { explainRoute } from './explain-route.ts'
import { explainRules } from './explain-rules.ts'
import type { ExplainedRoute, Explanation } from './explanation.ts'
import { notesFor } from './notes-for.ts'
import { openExchangeFor, type RequestToExplain } from './request-file.ts'

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
  // All that is told of a body is told of a long one, too.
  const snapshot: Snapshot = { ...createSnapshot(config.settings, deps), bodyDepth: 'whole' }
  const { jsonBytesMax, memoryBytesMax } = config.limits
  const reading = { bytesMax: jsonBytesMax, memory: new MemoryBudget(memoryBytesMax) }
  const exchange = openExchangeFor(asked)
  exchange.identify(principal)
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
      outgoing = await prepareBody(exchange, snapshot, { ...config, reading })
      route = await explainRoute(exchange, outgoing, snapshot, config)
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
    request: { method, path, model, principal: exchange.principalName, body: asked.body },
    rules: explainRules(snapshot.rules, { facts, json, refusal, isReached: outgoing !== undefined }),
    refusal: body && entry && { status: entry.status, error: body.error },
    ownAnswer,
    route,
    notes: notesFor(asked, { exchange, outgoing, route }, snapshot, config),
  }
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
