import type { Duplex } from 'node:stream'
import { maskWhole } from '../../answers/masked-send.ts'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import { ApiError } from '../../openai/api-error.ts'
import { createDeadlines, type Deadlines } from '../../timing/deadlines.ts'
import { dial } from '../../upstream/exact/dial.ts'
import type { ProxyFor } from '../../upstream/exact/proxy-of.ts'
import { readBody } from '../../upstream/exact/read-body.ts'
import { readHead } from '../../upstream/exact/read-head.ts'
import type { HeadAndRest } from '../../upstream/exact/response-head.ts'
import { upstreamFailure } from '../../upstream/failure.ts'
import type { Mask } from '../../upstream/mask.ts'
import { endSocket } from './end-socket.ts'
import { ErrorFrames } from './error-frames.ts'
import { holdClient } from './hold-client.ts'
import { joinSockets } from './join-sockets.ts'
import { answerHeaders, encodeRefusal, encodeSwitch, encodeUpgradeRequest } from './upgrade-head.ts'

/** One WebSocket upgrade to relay. */
export interface WebSocketRelay {
  /** The raw socket of the HTTP server's `upgrade` event. */
  readonly client: Duplex
  /** The bytes that came behind the upgrade request. */
  readonly head: Uint8Array
  /** The server that the upgrade goes to: http(s); its path is not looked at. */
  readonly url: URL
  /** What stands in the request line: path and query, each character one byte. */
  readonly target: string
  /** End-to-end headers with credentials, and the client's `Sec-WebSocket-*`; the relay adds the hop's own. */
  readonly headers: readonly (readonly [string, string])[]
  readonly timeouts: {
    /** From the start to the head of upstream's answer; 0: none. */
    readonly firstByteMs: number
    /** How long a peer may take nothing of what waits for it; 0: for ever. Silence has no limit. */
    readonly idleMs: number
  }
  /** Headers for the client's 101 or refusal, each where upstream sent none of that name. */
  readonly responseHeaders: readonly (readonly [string, string])[]
  /** Hides what of ours is sent with the upgrade, should the upstream's answer repeat it. */
  readonly mask?: Mask | undefined
  /** Told once that upstream has switched, and the time to that in ms; a session may last for hours from then on. */
  readonly onSwitch?: ((ms: number) => void) | undefined
  /** Told of a refusal before any of it goes on; what it rejects with takes its place, and the client is left unanswered. */
  readonly onRefusal?: ((refusal: RefusedUpgrade) => Promise<void>) | undefined
  /** The HTTP proxy to reach a URL through, if any. */
  readonly proxyFor?: ProxyFor | undefined
  /** The certificate authorities that the upstream is trusted by (PEM); undefined: the default ones. */
  readonly ca?: string | undefined
  /** Counts what waits for an upstream that takes nothing. */
  readonly memory?: MemoryBudget | undefined
  /** The process's; else the relay has its own. */
  readonly deadlines?: Deadlines | undefined
}

/** Upstream's answer to an upgrade, where that is no 101. */
export interface RefusedUpgrade {
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
  /** Whether the client got an answer. Where it did not, and it is still there, its socket is open and unwritten. */
  readonly answered: boolean
  /** Upstream's, 101 where it switched; 502 or 504 where it gave none; 499 where the client left before it did. */
  readonly status: number
  /** From the client, behind its request's head. */
  readonly bytesIn: number
  /** To the client, behind the answer's head. */
  readonly bytesOut: number
  readonly cause?: unknown
  /** From the start to the head of upstream's answer, in milliseconds. */
  readonly timeToFirstByteMs: number | undefined
}

/**
 * Relays a WebSocket: the upgrade to the upstream, its answer to the client, and then the bytes of both, as they
 * come, with back-pressure. Frames are not made here, and read only for errors that may repeat the server's key, so subprotocols, extensions, pings, fragments and
 * close codes are between the two ends (RFC 6455).
 *
 * Bytes that the client sends early wait for the 101: an upstream that refuses would take them for a request.
 * Resolves once, when both sides are closed or the client was left unanswered; never rejects.
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
    const cause: unknown = abort.signal.aborted ? abort.signal.reason : thrown
    const unanswered = { answered: false, bytesIn: 0, bytesOut: 0, cause, timeToFirstByteMs }
    const { kind, entry } = upstreamFailure(cause)
    if (kind !== 'client_closed') return { ...unanswered, kind: 'failed', status: entry.status }
    client.destroy()
    return { ...unanswered, kind: 'cancelled', status: entry.status }
  } finally {
    firstByte.clear()
  }
}

/** In compressed frames nothing could be hidden: where something may have to be, compression is not offered. */
function headersFor({ headers, mask }: WebSocketRelay): WebSocketRelay['headers'] {
  return mask === undefined ? headers : headers.filter(([name]) => name.toLowerCase() !== 'sec-websocket-extensions')
}

function maskHead({ head, rest }: HeadAndRest, mask: Mask | undefined): HeadAndRest {
  if (mask === undefined) return { head, rest }
  mask.headers(head.headers)
  return { head: { ...head, reason: mask.text(head.reason) }, rest }
}

function join(
  { client, responseHeaders, timeouts, memory, mask }: WebSocketRelay,
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
  const shown = mask === undefined ? undefined : new ErrorFrames(mask.stars)
  const { idleMs } = timeouts
  return joinSockets({ client, upstream, fromClient, fromUpstream: rest, shown, deadlines, idleMs, memory })
}

/** The refusal is whole before any of it is sent on, so that one that breaks off can still be a typed error. */
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
