import { passThrough } from '../../../src/answers/pass-through.ts'
import { Tap, type TapWatch } from '../../../src/answers/tap.ts'

/** What came out of a stream, and whether it ended or broke. */
export interface Collected {
  readonly chunks: readonly Uint8Array[]
  readonly text: string
  readonly isBroken: boolean
}

/** Reads a stream to its end or its break. */
export async function collectStream(stream: ReadableStream<Uint8Array>): Promise<Collected> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  const done = (isBroken: boolean): Collected => ({ chunks, text: Buffer.concat(chunks).toString('utf8'), isBroken })
  try {
    for (;;) {
      const next = await reader.read()
      if (next.done) return done(false)
      chunks.push(next.value)
    }
  } catch {
    return done(true)
  }
}

/** A stream of these chunks, which ends, or fails with an error where one is given. */
export function streamOf(
  chunks: readonly (string | Uint8Array)[],
  failure?: unknown,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  const rest = chunks.map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : new Uint8Array(chunk)))
  return new ReadableStream(
    {
      pull(controller) {
        const chunk = rest.shift()
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (failure === undefined) controller.close()
        else controller.error(failure)
      },
    },
    { highWaterMark: 0 },
  )
}

/** A stream that passes through a tap. */
export function tap(source: ReadableStream<Uint8Array>, watch: TapWatch): ReadableStream<Uint8Array> {
  return passThrough(source, new Tap(watch))
}
