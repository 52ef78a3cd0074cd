import { isJsonObject } from '../formats/json/json.ts'
import { useOfRequest } from '../openai/endpoint-use.ts'
import { BYTES_PER_TOKEN } from '../openai/usage/usage-tally.ts'
import type { PlannedCall } from '../pricing/planned-call.ts'
import { outlineOf } from '../requests/outgoing-body.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'

const NO_MEMBERS: PlannedCall['members'] = Object.freeze({})

/**
 * What is known of a request's call before it is made, as the rules have made it; for each target its model is to be added.
 *
 * @example
 * estimateCall({ ...plannedRequest(request), model: 'gpt-4o' }, price)
 */
export function plannedRequest({ exchange, outgoing, heard }: PreparedRequest): Omit<PlannedCall, 'model'> {
  const { received, fields, addedBytes = 0 } = outgoing
  // A rule may have set a cap, or a number of answers, or taken one out.
  const outline = outgoing.ruled ?? outlineOf(outgoing)
  const isRead = isJsonObject(outline)
  const bytes = received instanceof Uint8Array ? received : undefined
  return {
    endpoint: useOfRequest(exchange).name,
    bodyBytes: (bytes?.byteLength ?? Number(exchange.request.headers.get('content-length') ?? 0)) + addedBytes,
    body: isRead ? bytes : undefined,
    members: isRead ? outline : fields === undefined ? NO_MEMBERS : membersOf(fields),
    // What its session has heard is not in its body.
    ...(heard !== undefined && { heard, bodyBytes: (heard.text + heard.audio) * BYTES_PER_TOKEN }),
  }
}

/** The fields of a form as members. Of a field that is there twice a server may read either: all of them count. */
function membersOf(fields: ReadonlyMap<string, readonly string[]>): PlannedCall['members'] {
  const members: Record<string, unknown> = {}
  for (const [name, texts] of fields) members[name] = texts.length === 1 ? texts[0] : texts
  return members
}
