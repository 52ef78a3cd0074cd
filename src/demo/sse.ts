import type { SimulatedEvents } from './call.ts'
import type { JsonObject } from './json-value.ts'

/** The frames of a chat or text completion: unnamed events, and `[DONE]` after the last. */
export function dataEvents(chunks: readonly JsonObject[]): SimulatedEvents {
  return {
    kind: 'events',
    frames: [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'],
    failure: (message) =>
      `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } })}\n\n`,
  }
}

/** The frames of a response: events named after their type and numbered in order. Nothing follows the last. */
export function namedEvents(events: readonly (JsonObject & { type: string })[]): SimulatedEvents {
  const frame = (event: JsonObject & { type: string }, sequenceNumber: number) =>
    `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequenceNumber })}\n\n`
  return {
    kind: 'events',
    frames: events.map(frame),
    failure: (message, framesSent) => frame({ type: 'error', code: 'server_error', message, param: null }, framesSent),
  }
}
