import type { SimulatedEvents } from './call.ts'
import type { JsonObject } from './json-value.ts'

/** The frames of a chat or text completion: unnamed events and comment lines, and `[DONE]` after the last. */
export function dataEvents(chunks: readonly (JsonObject | string)[]): SimulatedEvents {
  const frame = (chunk: JsonObject | string): string =>
    typeof chunk === 'string' ? `${chunk}\n\n` : `data: ${JSON.stringify(chunk)}\n\n`
  return {
    kind: 'events',
    frames: [...chunks.map(frame), 'data: [DONE]\n\n'],
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
