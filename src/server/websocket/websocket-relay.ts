import type { Duplex } from 'node:stream'
import { maskWhole } from '../../answers/mask-whole.ts'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import { causeOf } from '../../exchange/outcome.ts'
import type { MeteredSession } from '../../metering/session/metered-session.ts'
import { ApiError } from '../../openai/api-error.ts'
import { createDeadlines, type Deadlines } from '../../timing/deadlines.ts'
import { dial } from '../../upstream/exact/dial.ts'
import type { ProxyFor } from '../../upstream/exact/proxy-of.ts'
import { readBody } from '../../upstream/exact/read-body.ts'
import { type HeadAndRest, readHead } from '../../upstream/exact/read-head.ts'
import { upstreamFailure } from '../../upstream/failure.ts'
import type { Mask } from '../../upstream/mask.ts'
import { endSocket } from './end-socket.ts'
import { ErrorFrames } from './error-frames.ts'
import { holdClient } from './hold-client.ts'
import { joinSockets } from './join-sockets.ts'
import { sessionFilters } from './session-filters.ts'
import { answerHeaders, encodeRefusal, encodeSwitch, encodeUpgradeRequest } from './upgrade-head.ts'

/** One WebSocket upgrade to relay. */
export interface WebSocketRelay {
  /** The client's raw socket. */
  readonly client: Duplex
  /** The bytes that came behind the upgrade request. */
  readonly head: Uint8Array
  /** The server that the upgrade goes to: http(s). Its path is ignored. */
  readonly url: URL
  /** The request target, path and query: each character one byte. */
  readonly target: string
  /** End-to-end headers with credentials, and the client's `Sec-WebSocket-*`; the relay adds the hop's own. */
  readonly headers: readonly (readonly [string, string])[]
  readonly timeouts: {
    /** From the start to the head of the upstream's answer; 0: no limit. */
    readonly firstByteMs: number
    /** How long a peer may take none of the bytes that wait for it; 0: for ever. Silence has no limit. */
    readonly idleMs: number
  }
  /** Headers for the client's 101 or refusal, each used only when the upstream sent none of that name. */
  readonly responseHeaders: readonly (readonly [string, string])[]
  /** Hides the server's secrets that are sent with the upgrade, in case the upstream's answer repeats them. */
  readonly mask?: Mask | undefined
  /** Called once when the upstream has switched, with the time that it took in ms; the session may last for hours from then on. */
  readonly onSwitch?: ((ms: number) => void) | undefined
  /** Called with a refusal before any of it goes on. When it rejects, the relay ends with that error and leaves the client unanswered. */
  readonly onRefusal?: ((refusal: UpgradeRefusal) => Promise<void>) | undefined
  /** Judges the client's messages, of up to `messageBytesMax`, and hears the upstream's; compression is not offered then. */
  readonly session?: MeteredSession | undefined
  readonly messageBytesMax?: number | undefined
  /** The HTTP proxy to reach a URL through, if any. */
  readonly proxyFor?: ProxyFor | undefined
  /** The certificate authorities that are trusted for the upstream (PEM); undefined: the default ones. */
  readonly ca?: string | undefined
  /** Counts the bytes that wait for an upstream that takes nothing. */
  readonly memory?: MemoryBudget | undefined
  /** The clocks of the process; absent: the relay makes its own. */
  readonly deadlines?: Deadlines | undefined
}

/** The upstream's answer to an upgrade when that is no 101. */
export interface UpgradeRefusal {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  /** From the start to its head, in milliseconds. */
  readonly ms: number
}

/** How a relayed upgrade ended. */
export interface WebSocketOutcome {
  /** `cancelled`: the client left or took nothing; `failed`: the upstream did, or could not be reached. */
  readonly kind: 'complete' | 'cancelled' | 'failed'
  /** Whether the client got an answer. When not, and it is still there, its socket is open and nothing has been written to it. */
  readonly answered: boolean
  /** The upstream's status, 101 when it switched; 502 or 504 when it gave none; 499 when the client left before. */
  readonly status: number
  /** Bytes from the client, behind its request's head. */
  readonly bytesIn: number
  /** Bytes to the client, behind the answer's head. */
  readonly bytesOut: number
  readonly cause?: unknown
  /** From the start to the head of the upstream's answer, in milliseconds. */
  readonly timeToFirstByteMs: number | undefined
}

/**
 * Relays a WebSocket: the upgrade to the upstream, its answer to the client, and then the bytes of both, unchanged and with
 * back-pressure. The relay makes no frames, and reads them only to find errors that may repeat the server's key: subprotocols,
 * extensions, pings, fragments and close codes are between the two ends (RFC 6455).
 *
 * Bytes that the client sends early wait for the 101: an upstream that refuses would take them for a request.
 * Resolves when both sides are closed or the client was left unanswered; never rejects.
 *
 * @example
 * const outcome = await relayWebSocket({ client, head, url, target, headers, timeouts, responseHeaders })
 */
export async function relayWebSocket(relay: WebSocketRelay): Promise<WebSocketOutcome> {
  const { client, timeouts, deadlines = createDeadlines() } = relay
  const startedAt = performance.now()
  const abort = new AbortController()
  const firstByte = deadlines.start(timeouts.firstByteMs, () => abort.abort(new ApiError('upstream_timeout')))
  const held = holdClient(client, relay.head, () => abort.abort(new ApiError('client_closed')))
  let timeToFirstByteMs: number | undefined
  let upstream: Duplex | undefined
  try {
    upstream = await dial(relay.url, abort.signal, relay.proxyFor?.(relay.url), relay.ca)
    upstream.write(encodeUpgradeRequest(relay.target, relay.url.host, headersFor(relay)))
    const answer = maskHead(await readHead(upstream), relay.mask)
    abort.signal.throwIfAborted()
    firstByte.clear()
    timeToFirstByteMs = performance.now() - startedAt
    if (answer.head.status === 101) {
      relay.onSwitch?.(timeToFirstByteMs)
      const end = await join(relay, upstream, answer, held.release, deadlines)
      return { ...end, answered: true, status: 101, timeToFirstByteMs }
    }
    const refusal = await readRefusal(relay, upstream, answer, timeToFirstByteMs, deadlines)
    abort.signal.throwIfAborted()
    upstream.destroy()
    held.release()
    const kind = await endSocket(client, refusal.bytes, deadlines, timeouts.idleMs)
    const bytesOut = refusal.bodyBytes
    return { kind, answered: true, status: answer.head.status, bytesIn: 0, bytesOut, timeToFirstByteMs }
  } catch (thrown) {
    upstream?.destroy()
    held.release()
    const cause = causeOf(abort.signal, thrown)
    const unanswered = { answered: false, bytesIn: 0, bytesOut: 0, cause, timeToFirstByteMs }
    const { kind, entry } = upstreamFailure(cause)
    if (kind !== 'client_closed') return { ...unanswered, kind: 'failed', status: entry.status }
    client.destroy()
    return { ...unanswered, kind: 'cancelled', status: entry.status }
  } finally {
    firstByte.clear()
  }
}

/** Leaves out the offer of compression where messages are read, or secrets may have to be hidden: in compressed frames they can't be found. */
function headersFor({ headers, mask, session }: WebSocketRelay): WebSocketRelay['headers'] {
  return mask === undefined && session === undefined
    ? headers
    : headers.filter(([name]) => name.toLowerCase() !== 'sec-websocket-extensions')
}

function maskHead({ head, rest }: HeadAndRest, mask: Mask | undefined): HeadAndRest {
  if (mask === undefined) return { head, rest }
  mask.headers(head.headers)
  return { head: { ...head, reason: mask.text(head.reason) }, rest }
}

function join(
  { client, responseHeaders, timeouts, memory, mask, session, messageBytesMax }: WebSocketRelay,
  upstream: Duplex,
  { head, rest }: HeadAndRest,
  release: () => Uint8Array,
  deadlines: Deadlines,
) {
  if (head.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    throw new ApiError('upstream_invalid_response', { cause: 'upstream switched to what is no WebSocket' })
  }
  const fromClient = release()
  client.write(encodeSwitch(head, responseHeaders))
  const masking = mask === undefined ? undefined : new ErrorFrames(mask)
  const bytesMax = messageBytesMax ?? Number.POSITIVE_INFINITY
  const filters = session === undefined ? undefined : sessionFilters(session, { masking, memory, bytesMax })
  return joinSockets({
    ...{ client, upstream, fromClient, fromUpstream: rest, deadlines, memory, idleMs: timeouts.idleMs },
    filter: filters?.outward ?? masking,
    inwardFilter: filters?.inward,
  })
}

/**
 * Reads the whole refusal before any of it is sent on, so that one that breaks off can still become a typed error. Rejects as
 * `readBody` and `onRefusal` do.
 */
async function readRefusal(
  { responseHeaders, timeouts, mask, onRefusal }: WebSocketRelay,
  upstream: Duplex,
  answer: HeadAndRest,
  ms: number,
  deadlines: Deadlines,
): Promise<{ readonly bytes: Uint8Array; readonly bodyBytes: number }> {
  const idle = deadlines.start(timeouts.idleMs, () => upstream.destroy(new ApiError('upstream_timeout')))
  const received = await readBody(upstream, answer, idle)
  await onRefusal?.({ status: answer.head.status, headers: answer.head.headers, body: received, ms })
  const headers = answerHeaders(answer.head, responseHeaders)
  const body = mask === undefined ? received : await maskWhole(received, headers, mask)
  return { bytes: encodeRefusal(answer.head, headers, body), bodyBytes: body.byteLength }
}
