import { type DeliverDeps, type DeliverOptions, deliver } from '../answers/deliver.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { readBytes } from '../requests/read-bytes.ts'
import type { Cassettes } from './cassettes.ts'
import type { Recording } from './open-recording.ts'

/** What recording and replaying need. */
export interface TapeDeps extends DeliverDeps {
  readonly limits: { readonly uploadBytesMax: number }
}

/** What a cassette answers with comes from no upstream. */
const PLAYED: DeliverOptions = {
  isUpstreams: false,
  streamIdleMs: 0,
  debugHeaders: false,
  renameModel: undefined,
  objectsIn: undefined,
}

/**
 * Answers an exchange from a cassette, or begins to record it; undefined: neither. Throws `no_cassette` where there is no other
 * way to answer it. The body has been read then, as a whole, and can be read once more.
 *
 * @example
 * const taped = await tapeExchange(exchange, deps.cassettes, deps)
 * if (taped instanceof Response) return taped
 */
export async function tapeExchange(
  exchange: Exchange,
  { play, record }: Cassettes,
  deps: TapeDeps,
): Promise<Response | Recording | undefined> {
  const { request, requestTarget: target, abort } = exchange
  const body = await readBytes(exchange, { bytesMax: deps.limits.uploadBytesMax, memory: deps.reading.memory })
  if (exchange.body !== undefined) {
    exchange.body = {
      isComplete: true,
      isCounted: true,
      length: body.byteLength,
      whole: () => body,
      stream: () => new Blob([body]).stream(),
    }
  }
  const asked = { method: request.method, target, headers: request.headers, body }
  const played = await play?.find(asked, abort.signal)
  if (played !== undefined) return deliver(exchange, played, PLAYED, deps)
  return record?.begin(asked, { memory: deps.reading.memory, atEnd: (release) => exchange.atEnd(release) })
}
