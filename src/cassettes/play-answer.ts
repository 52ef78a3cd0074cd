import type { Sleep } from '../timing/sleep.ts'
import type { CassetteEvent, CassetteResponse } from './cassette.ts'
import { textOfJson } from './describe-answer.ts'

/** How fast an answer is played: as it came, or at once. */
export type Pace = 'original' | 'instant'

const UTF_8 = new TextEncoder()
/** Statuses that never have a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes a standard response of a recorded one. `sleep` is for the original pace; undefined: at once.
 *
 * @example
 * const response = playAnswer(cassette.response, pace === 'original' ? sleep : undefined)
 */
export function playAnswer(recorded: CassetteResponse, sleep: Sleep | undefined): Response {
  const { status, events, body } = recorded
  const headers = new Headers(recorded.headers)
  if (BODILESS.has(status)) return new Response(null, { status, headers })
  if (events !== undefined) return new Response(playEvents(events, sleep), { status, headers })
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

/** Chunk by chunk as they were, each when the reader asks for it and, at the original pace, not before its time. */
function playEvents(events: readonly CassetteEvent[], sleep: Sleep | undefined): ReadableStream<Uint8Array> {
  const left = new AbortController()
  const rest = events.values()
  let playedMs = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = rest.next()
        if (done === true) return controller.close()
        const waitMs = value.at_ms - playedMs
        playedMs = Math.max(playedMs, value.at_ms)
        try {
          if (sleep !== undefined && waitMs > 0) await sleep(waitMs, left.signal)
          controller.enqueue(bytesOfChunk(value))
        } catch {
          // Only the reader's leaving ends a wait early: nobody is left to be told.
        }
      },
      cancel() {
        left.abort()
      },
    },
    { highWaterMark: 0 },
  )
}
