import type { SimulatedAnswer } from './call.ts'
import { type Faults, serverError } from './faults.ts'
import { playFrames } from './play-frames.ts'

/** The facts about the exchange that a rendering needs. */
export interface Rendering {
  readonly requestId: string
  readonly faults: Faults
  /** Between the events of a stream where no fault says otherwise, in milliseconds. */
  readonly chunkDelayMs: number
  readonly signal: AbortSignal
}

const encoder = new TextEncoder()

// A body that is no stream of events is cut into so many pieces where its sending is to go wrong or slowly.
const piecesOfBody = 8

/** The `Response` for an answer, in the form and with the headers of OpenAI, and with the faults asked for. */
export function renderAnswer(answer: SimulatedAnswer, rendering: Rendering): Response {
  const { faults, chunkDelayMs, signal } = rendering
  const headers = headersOf(answer, rendering)
  if (answer.kind === 'events') {
    const frames = framesSent(answer.frames, faults)
    if (faults.middle === 'error') {
      frames.push(answer.failure(serverError(500, rendering.requestId).message, frames.length))
    }
    const playing = { delayMs: faults.slowMs ?? chunkDelayMs, ending: endingOf(faults), signal }
    return new Response(
      playFrames(
        frames.map((frame) => encoder.encode(frame)),
        playing,
      ),
      { headers },
    )
  }
  const status = answer.status ?? 200
  const body = answer.kind === 'bytes' ? answer.bytes : encoder.encode(`${JSON.stringify(answer.value, null, 2)}\n`)
  if (faults.middle === undefined && faults.slowMs === undefined) return new Response(body, { status, headers })
  const playing = { delayMs: faults.slowMs ?? 0, ending: endingOf(faults), signal }
  return new Response(playFrames(framesSent(piecesOf(body), faults), playing), { status, headers })
}

/** All of them, or the first half where something happens in the middle. */
function framesSent<T>(frames: readonly T[], { middle }: Faults): T[] {
  return frames.slice(0, middle === undefined ? frames.length : Math.ceil(frames.length / 2))
}

function endingOf({ middle }: Faults): 'close' | 'reset' | 'stall' {
  return middle === 'reset' || middle === 'stall' ? middle : 'close'
}

function headersOf(answer: SimulatedAnswer, { requestId, faults }: Rendering): Headers {
  const headers = new Headers({
    'content-type': 'application/json',
    'openai-organization': 'nexcode-simulated',
    'openai-processing-ms': String(1 + (faults.delayMs ?? 0)),
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-limit-tokens': '200000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-remaining-tokens': '199900',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-reset-tokens': '30ms',
    'x-request-id': requestId,
  })
  switch (answer.kind) {
    case 'events':
      headers.set('content-type', 'text/event-stream; charset=utf-8')
      headers.set('cache-control', 'no-cache')
      break
    case 'bytes':
      headers.set('content-type', answer.contentType)
      break
    case 'json':
      for (const [name, value] of Object.entries(answer.headers ?? {})) headers.set(name, value)
  }
  return headers
}

function piecesOf(body: Uint8Array): Uint8Array[] {
  const length = Math.max(1, Math.ceil(body.byteLength / piecesOfBody))
  return Array.from({ length: Math.ceil(body.byteLength / length) }, (_, index) =>
    body.subarray(index * length, (index + 1) * length),
  )
}
