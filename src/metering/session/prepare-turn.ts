import type { Exchange } from '../../exchange/exchange.ts'
import type { JsonObject } from '../../formats/json/json.ts'
import { JsonBody } from '../../formats/json/json-body.ts'
import { checkInner } from '../../requests/check-inner.ts'
import { comparedBody, type OutgoingBody } from '../../requests/outgoing-body.ts'
import { prepareJson } from '../../requests/prepare-json.ts'
import { PreparedRequest } from '../../requests/prepared-request.ts'
import { readCall } from '../../requests/read-call.ts'
import type { CallerLimits } from '../caller-limits.ts'
import type { SessionOpening } from './metered-session.ts'
import type { ClientEvent } from './session-events.ts'
import type { SessionState } from './session-state.ts'

const TO_BYTES = new TextEncoder()

/**
 * Makes the exchange of one response of a session: a part of the session's, that posts the same call.
 *
 * @example
 * const exchange = exchangeOfTurn(opening)
 */
export function exchangeOfTurn({ exchange, protocol }: SessionOpening): Exchange {
  const { url, headers } = exchange.request
  const child = exchange.child({
    request: { method: 'POST', url, headers },
    body: undefined,
    json: undefined,
    abort: new AbortController(),
    startedAt: performance.now(),
  })
  if (protocol === 'realtime') child.stream = true
  return child
}

/**
 * Makes the request of one response: what a POST would be that asks for it. What the caller may not ask for is refused as it would be there.
 *
 * Throws, or rejects with, an `ApiError`.
 *
 * @example
 * const request = await prepareTurn(opening, child, event, limits, state)
 */
export async function prepareTurn(
  opening: SessionOpening,
  exchange: Exchange,
  event: ClientEvent | undefined,
  limits: CallerLimits | undefined,
  state: SessionState,
  isAhead: boolean,
): Promise<PreparedRequest> {
  const { protocol, deployment, timeouts } = opening
  const snapshot = opening.settingsFor(limits)
  const route = {
    ...opening.route,
    deployments: [deployment],
    resilience: { ...opening.route.resilience, hedge: undefined },
  }
  const asked = protocol === 'realtime' || event?.type !== 'response.create' ? undefined : event
  const outgoing = asked === undefined ? outgoingOf(opening, event, state) : await postedOf(exchange, asked, snapshot)
  exchange.model = outgoing.model
  exchange.stream = true
  checkInner(outgoing.inner, route, snapshot)
  const request = new PreparedRequest({
    ...{ exchange, outgoing, route, snapshot, timeouts },
    ...{ objects: undefined, clocks: undefined },
  })
  if (protocol === 'realtime') request.heard = state.reading(event?.value['response'], isAhead)
  return request
}

/** A call of Responses, which has the members of a POST's body. */
function postedOf(
  exchange: Exchange,
  { json }: ClientEvent,
  snapshot: PreparedRequest['snapshot'],
): OutgoingBody | Promise<OutgoingBody> {
  if (snapshot.restricts) readCall(exchange, snapshot)
  return prepareJson(exchange, snapshot, json)
}

/** A response of the session's own model, or of one that goes on with another response: what it may write is all that is known of it. */
function outgoingOf({ model }: SessionOpening, event: ClientEvent | undefined, state: SessionState): OutgoingBody {
  const { value = {} } = event ?? {}
  const cap = state.capFor(value['response'])
  const members: JsonObject = {
    ...(cap !== undefined && { max_output_tokens: cap }),
    ...(typeof value['previous_response_id'] === 'string' && { previous_response_id: value['previous_response_id'] }),
  }
  const bytes = event?.json.bytes ?? TO_BYTES.encode(JSON.stringify(members))
  return comparedBody(bytes, new JsonBody(bytes, members), model ?? state.model)
}
