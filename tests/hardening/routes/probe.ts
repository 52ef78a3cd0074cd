import { openRawClient, type RawResponse } from '../../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import type { HostCase } from './hosts.ts'
import type { ServedRoute } from './served-routes.ts'
import type { Spelling } from './spellings.ts'

export const TOKEN = 'token-of-a-holder-0123456789'
export const SERVER_KEY = 'sk-key-of-the-server-0123456789'

/** What a caller shows. */
export type ShownKey = 'none' | 'wrong' | 'right'
export const KEYS: readonly ShownKey[] = ['none', 'wrong', 'right']
const SHOWN: Readonly<Record<ShownKey, string>> = {
  none: '',
  wrong: `Authorization: Bearer ${TOKEN.slice(0, -1)}x\r\n`,
  right: `Authorization: Bearer ${TOKEN}\r\n`,
}

/** One request of the suite. */
export interface Probe {
  /** `host/spelling/METHOD:path/key`, which says all. */
  readonly id: string
  /** Its place among all: what the log knows it by. */
  readonly number: number
  readonly host: HostCase
  readonly route: ServedRoute
  readonly target: string
  readonly isPlain: boolean
  readonly key: ShownKey
}

/** What came of a probe. */
export interface ProbeOutcome {
  /** undefined: the connection ended without an answer. */
  readonly response: RawResponse | undefined
  /** What came to the upstream because of it, as it stood on the request line, and with which credential. */
  readonly arrivals: readonly ProbeArrival[]
}

/** A request at the upstream. */
export interface ProbeArrival {
  readonly method: string
  readonly target: string
  readonly authorization: string | undefined
}

/** Makes one probe. */
export function makeProbe(
  host: HostCase,
  spelling: Spelling,
  route: ServedRoute,
  key: ShownKey,
  number: number,
): Probe {
  return {
    id: `${host.name}/${spelling.name}/${route.method}:${route.path}/${key}`,
    ...{ number, host, route, key },
    target: spelling.spell(route.path),
    isPlain: spelling.name === 'plain',
  }
}

const TAG = 'X-Hardening-Probe'
const BODY = '{"model":"gpt-5","input":"a","prompt":"a","messages":[{"role":"user","content":"a"}]}'
export const FROM_UPSTREAM = 'answered by the upstream'

/** An upstream that tells which probe each request came from. */
export interface ProbedUpstream {
  readonly upstream: ScriptedUpstream
  /** With a path: the upstream's base. */
  readonly baseUrl: string
  /** What has come of a probe. */
  readonly arrivalsOf: (id: string) => readonly ProbeArrival[]
}

/** Its base: what lies outside of it is not ours to ask for. */
export const BASE_PATH = '/base/v1'

/** Starts the upstream. */
export async function startProbedUpstream(): Promise<ProbedUpstream> {
  const byProbe = new Map<string, ProbeArrival[]>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    const id = request.header(TAG) ?? ''
    const { method, target } = request
    const arrival = { method, target, authorization: request.header('authorization') }
    byProbe.set(id, [...(byProbe.get(id) ?? []), arrival])
    await request.body
    connection.json({ object: FROM_UPSTREAM })
  })
  return { upstream, baseUrl: upstream.url + BASE_PATH, arrivalsOf: (id) => byProbe.get(id) ?? [] }
}

/** What a probe is called in the log. */
export function logId(number: number): string {
  return `probe-${number}`
}

/** Sends a probe on a connection of its own. */
export async function sendProbe(probe: Probe, port: number, { arrivalsOf }: ProbedUpstream): Promise<ProbeOutcome> {
  const { route, host, target, key, id, number } = probe
  const body = route.method === 'POST' ? BODY : ''
  const length = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  const client = await openRawClient(port)
  client.write(
    `${route.method} ${target} HTTP/1.1\r\n${host.lines}${TAG}: ${id}\r\nX-Request-Id: ${logId(number)}\r\n${SHOWN[key]}${length}Connection: close\r\n\r\n${body}`,
  )
  const response = await client.response().catch(() => undefined)
  client.leave()
  return { response, arrivals: arrivalsOf(id) }
}
