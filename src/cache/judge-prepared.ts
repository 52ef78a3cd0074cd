import type { Held } from '../exchange/memory-budget.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { parseJson, scanMembers } from '../requests/parse-json.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { readMembers } from '../requests/read-members.ts'
import { isJudgedByTools, type Judgement, judgeRequest } from './cacheable.ts'

const TOOLS = { rules: { reads: (name: string) => name === 'tools' }, isJudged: false }
/** The memory of a body has been counted when it was read. */
const UNCOUNTED: Held = { add() {}, release() {}, drop() {} }

/**
 * Judges whether the cache has a part in a request as it goes upstream: the rules may have made another one of the caller's. `body` are its
 * bytes, null: it has none; undefined: they are not there as a whole.
 *
 * @example
 * const { kind, control } = await judgePrepared(request, bytes)
 */
export function judgePrepared(
  { exchange, outgoing, settings }: Pick<PreparedRequest, 'exchange' | 'outgoing' | 'settings'>,
  body: Uint8Array<ArrayBuffer> | null | undefined,
): Judgement | Promise<Judgement> {
  const { method, headers } = exchange.request
  const endpoint = endpointOf(exchange.requestTarget)
  const judgeValue = (value: unknown): Judgement =>
    judgeRequest({ method, endpoint, body: value, headers }, settings.cache)
  if (body === undefined) return judgeValue(undefined)
  const changed = body !== null && outgoing.isChangedFor(undefined) ? body : undefined
  const { partlyRead } = outgoing
  if (partlyRead !== undefined) {
    const reading = readJudged(endpoint, partlyRead, changed)
    return reading instanceof Promise ? reading.then(judgeValue) : judgeValue(reading)
  }
  if (changed === undefined) return judgeValue(outgoing.value)
  const parsing = parseJson(changed)
  return parsing instanceof Promise ? parsing.then(({ value }) => judgeValue(value)) : judgeValue(parsing.value)
}

/**
 * Reads as much of a long body as decides about the cache: its members, and the tools where they do. Undefined: its tools are no JSON, which
 * the upstream judges.
 */
function readJudged(endpoint: string, json: JsonBody, changed: Uint8Array<ArrayBuffer> | undefined): unknown {
  if (changed === undefined) return readTools(endpoint, json)
  const { unread } = json
  const scanning = scanMembers(changed, () => UNCOUNTED)
  if (scanning instanceof Promise) {
    return scanning.then(({ value, members }) => readTools(endpoint, new JsonBody(changed, value, { members, unread })))
  }
  return readTools(endpoint, new JsonBody(changed, scanning.value, { members: scanning.members, unread }))
}

function readTools(endpoint: string, json: JsonBody): unknown {
  if (!isJudgedByTools(endpoint, json.outline)) return json.outline
  try {
    const reading = readMembers(json, TOOLS)
    return reading instanceof Promise ? reading.then(({ outline }) => outline, unlessNoJson) : reading.outline
  } catch (refusal) {
    return unlessNoJson(refusal)
  }
}

function unlessNoJson(refusal: unknown): undefined {
  if (refusal instanceof ApiError && refusal.kind === 'invalid_json') return undefined
  throw refusal
}
