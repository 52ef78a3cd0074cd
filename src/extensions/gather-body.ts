import type { IncomingBody } from '../exchange/arrival.ts'
import { assertBytes } from '../formats/bytes/assert-bytes.ts'
import { joinInSteps } from '../formats/bytes/join-bytes.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { inSlices } from '../timing/slices.ts'
import type { BodyMemory } from './body-memory.ts'
import type { ChunkReader } from './read-stream.ts'

/** A body that an extension has made: its bytes, or a stream where it is too long to be held. */
export type MadeBody = IncomingBody & ({ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly isLong: true })

const NOTHING = new Uint8Array()

/**
 * Reads the body that an extension has made, so that its length is known. Of a body of more than `bytesMax` bytes, the rest goes on as it
 * comes. The held bytes count; rejects with `memory_full` where they do not fit.
 *
 * @example
 * const body = await gatherBody(request.body, config.limits.jsonBytesMax, memory)
 */
export async function gatherBody(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
  memory: Pick<BodyMemory, 'add'>,
): Promise<MadeBody> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= bytesMax) {
    const { done, value } = await reader.read()
    if (done) {
      // A single chunk is copied, too, because its maker may write into it. Megabytes are copied in slices.
      const bytes = await inSlices(joinInSteps([...chunks, NOTHING]))
      return { ...wholeBody(bytes), isCounted: true }
    }
    assertBytes(value)
    try {
      memory.add(value.byteLength)
    } catch (refusal) {
      await ignoreRejection(reader.cancel())
      throw refusal
    }
    chunks.push(value)
    length += value.byteLength
  }
  return longBody(chunks, reader)
}

/**
 * Makes a body of bytes.
 *
 * @example
 * const body = wholeBody(new TextEncoder().encode(text))
 */
export function wholeBody(bytes: Uint8Array<ArrayBuffer>): MadeBody & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const { byteLength: length } = bytes
  return { bytes, isComplete: true, length, whole: () => bytes, stream: () => new Blob([bytes]).stream() }
}

function longBody(chunks: Uint8Array[], reader: ChunkReader): MadeBody {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const held = chunks.shift()
        if (held !== undefined) return controller.enqueue(held)
        const { done, value } = await reader.read()
        if (done) return controller.close()
        assertBytes(value)
        controller.enqueue(value)
      },
      cancel: () => ignoreRejection(reader.cancel()),
    },
    { highWaterMark: 0 },
  )
  const whole = async () => new Uint8Array(await new Response(stream).arrayBuffer())
  return { isLong: true, isComplete: false, whole, stream: () => stream }
}
