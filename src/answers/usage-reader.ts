import type { Exchange } from '../exchange/exchange.ts'
import { isEncoded } from '../formats/bytes/decode-body.ts'
import { GatheredBytes } from '../formats/bytes/gathered-bytes.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { isEventStream, isJsonType } from '../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { StreamTail } from '../formats/sse/stream-tail.ts'

/** A JSON answer that is longer is not read for its usage. */
const JSON_BYTES_MAX = 1024 * 1024

/** Reads the usage of tokens in an answer while it passes. */
interface UsageReader {
  add(chunk: Uint8Array): void
  usage(): JsonObject | undefined
}

/**
 * Tells the observers the usage in a good answer when its exchange ends. Gives the function that takes its chunks; undefined:
 * nobody wants to hear it, or it can't be read. Usage is `usage` of the answer, of its last event with one, or of the `response` in
 * that (OpenAI specification, `CompletionUsage`, `ResponseUsage`).
 */
export function watchUsage(exchange: Exchange, answer: Response): ((chunk: Uint8Array) => void) | undefined {
  const { headers } = answer
  if (!exchange.hasUsageObserver || !answer.ok || isEncoded(headers.get('content-encoding'))) return undefined
  const type = headers.get('content-type')
  const reader = isEventStream(type) ? new StreamUsage() : isJsonType(type) ? new JsonUsage() : undefined
  if (reader === undefined) return undefined
  exchange.atEnd(() => {
    const usage = reader.usage()
    if (usage !== undefined) exchange.onUsage(usage)
  })
  return (chunk) => reader.add(chunk)
}

class StreamUsage implements UsageReader {
  readonly #tail = new StreamTail()

  add(chunk: Uint8Array): void {
    this.#tail.add(chunk)
  }

  usage(): JsonObject | undefined {
    for (const { data } of [...this.#tail.eventsBefore(), ...this.#tail.events()].toReversed()) {
      const usage = data === undefined ? undefined : usageIn(data)
      if (usage !== undefined) return usage
    }
    return undefined
  }
}

class JsonUsage implements UsageReader {
  readonly #gathered = new GatheredBytes()
  #isLong = false

  add(chunk: Uint8Array): void {
    this.#isLong ||= this.#gathered.byteLength + chunk.byteLength > JSON_BYTES_MAX
    if (this.#isLong) this.#gathered.take()
    else this.#gathered.add(new Uint8Array(chunk))
  }

  usage(): JsonObject | undefined {
    return this.#isLong ? undefined : usageIn(new TextDecoder().decode(joinBytes(this.#gathered.take())))
  }
}

function usageIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value)) return undefined
    const { usage, response } = value
    if (isJsonObject(usage)) return usage
    return isJsonObject(response) && isJsonObject(response['usage']) ? response['usage'] : undefined
  } catch {
    return undefined
  }
}
