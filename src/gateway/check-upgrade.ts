import type { Exchange } from '../exchange/exchange.ts'
import { entryOf } from '../exchange/principal.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { readTarget } from '../openai/read-target.ts'
import type { RequestFacts } from '../params/rules.ts'
import { readCall } from '../requests/read-call.ts'
import { factsOf } from '../requests/request-facts.ts'
import type { Generation } from './generation.ts'

/**
 * Checks whether a WebSocket may be opened by the rules and models of this server, and gives the model that its URL names.
 *
 * The frames of a WebSocket are not read here, so a parameter rule can't be applied to them: a rule that matches refuses the upgrade. A
 * WebSocket whose frames are calls with a model in each (`/v1/responses`) is answered 426 wherever a setting here applies to calls: its
 * clients then post them, and all settings and limits apply. The limits of a caller are not among these: they hold for each frame.
 *
 * Throws `websocket_not_relayed`, `rules_not_applicable` and a stage's refusal.
 */
export function checkUpgrade(exchange: Exchange, generation: Generation): string | undefined {
  if (generation.restricts) readCall(exchange, generation)
  const { settings, rules } = generation
  const isCounted = entryOf(exchange.principal) !== undefined
  const model = settings.hasFile || generation.needsModel || isCounted ? namedIn(exchange) : undefined
  const facts = factsOf(exchange, model)
  if (isCallInFrames(facts.endpoint) && hasSayInCalls(exchange, facts, generation))
    throw new ApiError('websocket_not_relayed')
  if (exchange.relayRefusal !== undefined) throw exchange.relayRefusal
  exchange.model = model
  if (settings.unknownModels === 'refuse' && !isModelKnown(facts)) throw modelNotTold()
  if (isModelKnown(facts) ? rules.match(facts) !== undefined : rules.mayMatch(facts)) {
    throw new ApiError('rules_not_applicable', {
      message: 'This server has rules for the parameters of this request, and they cannot be applied to a WebSocket.',
    })
  }
  return model
}

/** The model that the URL names, be it only for the log. */
function namedIn({ named, requestTarget: target }: Exchange): string | undefined {
  const read = named ?? readTarget(target).named
  return read === 'unclear' ? undefined : read?.model
}

/** Whether a setting here reads such calls or decides by them, so that none may pass unseen. */
function hasSayInCalls(
  { seesCalls, principal }: Exchange,
  facts: RequestFacts,
  { settings, rules }: Generation,
): boolean {
  // Each call is counted by its frame where that can be done.
  if (seesCalls || (entryOf(principal) !== undefined && facts.endpoint !== 'responses')) return true
  return settings.models.length > 0 || settings.unknownModels === 'refuse' || rules.mayMatch(facts)
}

/** The frames of a WebSocket may name any model, except in a realtime session, whose URL names it. */
function isModelKnown({ model, endpoint }: RequestFacts): boolean {
  return model !== undefined && endpoint === 'realtime'
}

function modelNotTold(): ApiError {
  return new ApiError('rules_not_applicable', {
    message:
      'This server decides on the models that may be used, and the URL of this WebSocket does not tell its model.',
    param: 'model',
  })
}

/** Whether the frames of a WebSocket at an endpoint, however it is written, are calls that could also be posted, each with a model of its own. */
export function isCallInFrames(endpoint: string): boolean {
  return endpointPath(endpoint).split('/', 1)[0] === 'responses'
}
