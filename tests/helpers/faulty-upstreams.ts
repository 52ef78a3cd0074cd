import type { Fault, FaultyCall, Place } from './failover-calls.ts'
import { freePort } from './free-port.ts'
import {
  type ReceivedRequest,
  type Script,
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
} from './scripted-upstream.ts'

/** One attempt that has come to an upstream. */
export interface Arrival {
  readonly side: 'first' | 'second'
  /** What the SDK counts of its own retries. */
  readonly retryCount: number
  /** undefined: it is answered in full. */
  readonly fault: Fault | undefined
  /** What its answer says, whole; no other attempt's is the same, nor the beginning of another's. */
  readonly text: string
  /** Whether bytes of an answer that is no refusal have gone out. */
  isAnswered: boolean
}

/** Two upstreams that do with each attempt what its call's plan says. */
export interface FaultyUpstreams {
  /** With `/v1`; nobody listens at `gone`. */
  readonly urls: { readonly first: string; readonly second: string; readonly gone: string }
  /** The attempts of a call, in order of arrival. */
  readonly arrivals: (id: string) => readonly Arrival[]
  readonly close: () => Promise<void>
}

/** Starts both on free ports. */
export async function startFaultyUpstreams(calls: readonly FaultyCall[]): Promise<FaultyUpstreams> {
  const byId = new Map(calls.map((call) => [call.id, call]))
  const log = new Map<string, Arrival[]>()
  const sideScript =
    (side: Arrival['side']): Script =>
    async (request, connection) => {
      const call = byId.get(request.header('x-client-request-id') ?? '')
      if (call === undefined) return connection.json({}, 404)
      const before = log.get(call.id) ?? []
      const arrival = arrivalOf(call, side, before.length, request)
      log.set(call.id, [...before, arrival])
      await request.body
      if (arrival.fault === undefined) answer(call, arrival, connection)
      else fail(arrival.fault, call, arrival, connection)
    }
  const [first, second, port] = await Promise.all([
    startScriptedUpstream(sideScript('first')),
    startScriptedUpstream(sideScript('second')),
    freePort(),
  ])
  const urlOf = ({ url }: ScriptedUpstream): string => `${url}/v1`
  return {
    urls: { first: urlOf(first), second: urlOf(second), gone: `http://127.0.0.1:${port}/v1` },
    arrivals: (id) => log.get(id) ?? [],
    close: async () => void (await Promise.all([first.close(), second.close()])),
  }
}

function arrivalOf(call: FaultyCall, side: Arrival['side'], index: number, request: ReceivedRequest): Arrival {
  return {
    side,
    retryCount: Number(request.header('x-stainless-retry-count') ?? Number.NaN),
    fault: faultOf(call, side, index),
    text: `[${index}] ${call.id} says: ${WORDS.join(' ')}`,
    isAnswered: false,
  }
}

/** What the first of all attempts meets, and what all others. */
const OF_ATTEMPTS: Partial<Readonly<Record<Place, readonly ['fault' | '503', ('fault' | '503')?]>>> = {
  once: ['fault'],
  early: ['fault', '503'],
  late: ['503', 'fault'],
}

function faultOf({ place, fault }: FaultyCall, side: Arrival['side'], index: number): Fault | undefined {
  if (place === 'everywhere' || (place === 'first' && side === 'first')) return fault
  const [atFirst, later] = OF_ATTEMPTS[place] ?? []
  const met = index === 0 ? atFirst : later
  return met === 'fault' ? fault : met
}

const WORDS = 'one answer comes whole or breaks off and never comes twice'.split(' ')

function fail(fault: Fault, call: FaultyCall, arrival: Arrival, connection: UpstreamConnection): void {
  switch (fault) {
    case 'stall':
      break
    case 'reset':
    case 'refused':
      connection.reset()
      break
    case 'reset_midway':
    case 'stall_midway':
      breakOff(fault, call, arrival, connection)
      break
    default: {
      const error = { message: `scripted ${fault}`, type: 'server_error', param: null, code: null }
      connection.json({ error }, Number(fault), refusalHeaders(fault, call))
    }
  }
}

/** An SDK's own wait before it retries a 500 is shortened; a target that refuses says in half of the calls for how long. */
function refusalHeaders(fault: Fault, { place, variant }: FaultyCall): Readonly<Record<string, string>> {
  if (fault === '500') return { 'retry-after-ms': '1' }
  // Where every target may refuse once, a cool-down of one would be what the next call meets.
  if (place in OF_ATTEMPTS || variant % 2 === 0) return {}
  return variant % 4 === 1 ? { 'retry-after-ms': '2' } : { 'retry-after': '0' }
}

function answer(call: FaultyCall, arrival: Arrival, connection: UpstreamConnection): void {
  arrival.isAnswered = true
  if (!call.stream) {
    connection.json(completionOf(call, arrival))
    return
  }
  connection.startChunked(200, { 'content-type': 'text/event-stream' })
  for (const event of eventsOf(call, arrival)) connection.chunk(event)
  connection.endChunks()
}

/** Time for what was written to be read: a reset takes away what has not been. */
const READ_MS = 10

function breakOff(fault: Fault, call: FaultyCall, arrival: Arrival, connection: UpstreamConnection): void {
  arrival.isAnswered = true
  writeBeginning(call, arrival, connection)
  if (fault === 'reset_midway') setTimeout(connection.reset, READ_MS)
}

function writeBeginning(call: FaultyCall, arrival: Arrival, connection: UpstreamConnection): void {
  if (call.stream) {
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    for (const event of eventsOf(call, arrival).slice(0, 1 + (call.variant % WORDS.length))) connection.chunk(event)
    return
  }
  const json = JSON.stringify(completionOf(call, arrival))
  const beginning = json.slice(0, 1 + (call.variant % (json.length - 1)))
  if (isOfToldLength(call)) {
    connection.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n`)
    connection.write(beginning)
    return
  }
  connection.startChunked(200, { 'content-type': 'application/json' })
  connection.chunk(beginning)
}

/** Whether a JSON answer that breaks off has told its length: the gateway holds such a one back until it is whole. */
export function isOfToldLength({ variant }: FaultyCall): boolean {
  return variant % 2 === 0
}

function completionOf({ model }: FaultyCall, { text }: Arrival): object {
  const message = { role: 'assistant', content: text, refusal: null }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  return { id: 'chatcmpl-faulty', object: 'chat.completion', created: 1, model, choices }
}

function eventsOf({ model }: FaultyCall, { text }: Arrival): string[] {
  const event = (delta: object, finish_reason: string | null): string => {
    const choices = [{ index: 0, delta, finish_reason }]
    const chunk = { id: 'chatcmpl-faulty', object: 'chat.completion.chunk', created: 1, model, choices }
    return `data: ${JSON.stringify(chunk)}\n\n`
  }
  const words = text.split(/(?<= )/).map((content) => event({ content }, null))
  return [...words, event({}, 'stop'), 'data: [DONE]\n\n']
}
