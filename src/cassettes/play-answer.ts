import { type PaceDeps, pacedStream, type TimedChunk } from '../timing/paced-stream.ts'
import type { CassetteEvent, CassetteResponse } from './cassette.ts'
import { textOfJson } from './describe-answer.ts'

const UTF_8 = new TextEncoder()
/** Statuses that never have a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes a standard response of a recorded one. `deps` are for the original pace; undefined: at once.
 *
 * @example
 * const response = playAnswer(cassette.response, pace === 'original' ? { sleep, now } : undefined)
 */
export function playAnswer(recorded: CassetteResponse, deps: PaceDeps | undefined): Response {
  const { status, events, body } = recorded
  const headers = new Headers(recorded.headers)
  if (BODILESS.has(status)) return new Response(null, { status, headers })
  if (events !== undefined) return new Response(pacedStream(chunksOf(events), deps), { status, headers })
  const bytes = body === undefined ? new Uint8Array() : bytesOf(body)
  headers.set('content-length', String(bytes.byteLength))
  return new Response(bytes, { status, headers })
}

function bytesOf(body: NonNullable<CassetteResponse['body']>): Uint8Array<ArrayBuffer> {
  if (body.json !== undefined) return UTF_8.encode(textOfJson(body))
  return bytesOfChunk(body)
}

function bytesOfChunk({ text, base64 }: Pick<CassetteEvent, 'text' | 'base64'>): Uint8Array<ArrayBuffer> {
  return text === undefined ? Uint8Array.fromBase64(base64 ?? '') : UTF_8.encode(text)
}

/** Decoded one by one, as they are asked for. */
function* chunksOf(events: readonly CassetteEvent[]): Generator<TimedChunk> {
  for (const event of events) yield { bytes: bytesOfChunk(event), atMs: event.at_ms }
}
