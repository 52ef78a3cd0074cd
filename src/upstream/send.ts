import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { isReset, StaleConnection, upstreamFailure } from './failure.ts'
import { settleContentLength } from './headers.ts'
import type { Mask } from './mask.ts'
import { createOriginConnections } from './origin-connections.ts'
import { slashRedirect } from './slash-redirect.ts'
import type { Destination } from './target.ts'
import { watchUpload } from './upload.ts'

/** A request's body; null: none. */
export type UpstreamBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

/** One call to an upstream. */
export interface UpstreamCall extends Destination {
  readonly method: string
  readonly headers: Headers
  /** A promise if it is still being made. */
  readonly body: UpstreamBody | Promise<UpstreamBody>
  /** Aborting it closes the upstream's connection at once, also in the midst of the answer's body. */
  readonly abort: AbortController
  /** Set when the call is sent: on a connection of its own, or on one of the pool if the pool has one. */
  connection?: 'new' | 'pooled'
  /** The call's own limit on the wait for the first byte, if it has one; 0: none. */
  readonly firstByteMs?: number | undefined
  /** The way to the upstream, if it is not the usual one. */
  readonly reach?: Reach | undefined
  /** Hides our secrets in the call, should the upstream repeat them; undefined: there are none. */
  readonly mask?: Mask | undefined
  /** The limit on the pause between two chunks of an answer that is read before it goes on; 0 or absent: none. */
  readonly streamIdleMs?: number
}

/** The way to an upstream, if it is not the environment's. */
export interface Reach {
  /** The certificate authorities that are trusted for it (PEM). */
  readonly tls?: { readonly ca: string }
  /** The URL of the proxy in between; false: none, whatever the environment says. */
  readonly proxy?: string | false
}

/** The standard fetch options, and those of the runtime that a byte-true proxy must set. */
export interface UpstreamInit extends RequestInit, Reach {
  readonly method: string
  readonly headers: Headers
  readonly body: UpstreamBody
  readonly signal: AbortSignal
  /** The target on the request line; the standard `fetch` would write the URL parser's form of it. */
  readonly target: string
  /** false: the bytes of an answer and its Content-Encoding stay as they came. */
  readonly decompress: boolean
  /** false: no hidden limit of ~6 minutes on a slow answer; our clocks are in the configuration. */
  readonly timeout: boolean
}

/** A `fetch` that can be replaced. */
export type UpstreamFetch = (url: URL, init: UpstreamInit) => Promise<Response>

/** The dependencies of a sender: a `fetch`, and the time limits. */
export interface SendDeps {
  readonly fetch: UpstreamFetch
  readonly deadlines: Deadlines
  /** The limit from the last byte of the request to the headers of the answer; 0: none. */
  readonly firstByteMs: number
  /** Gives the cause of a failure, if that was a shortage of this process; else the failure. */
  readonly diagnoseConnectFailure?: ((cause: unknown) => unknown) | undefined
}

/** Sends one call and gives the upstream's answer as it came. */
export type Send = (call: UpstreamCall) => Promise<Response>

/**
 * On a kept-alive connection that breaks, the runtime sends a request a second time by itself, unless its method is
 * one of these, which are not idempotent (RFC 9110 §9.2.2). All others get a connection of their own.
 */
const NEVER_RESENT: ReadonlySet<string> = new Set(['POST', 'PATCH'])

/** Statuses of answers that end with their heads, whatever these say (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes the one way out of NexCode: exactly one request goes out for each call, nothing is decompressed, and the only clocks
 * are the configuration's. No redirect is followed, except one that differs by the slash at the path's end alone.
 *
 * Fails with an `ApiError`: `upstream_unreachable`, `upstream_invalid_response`, `upstream_timeout`, `out_of_connections`, or the one
 * that the call was aborted with.
 *
 * @example
 * const send = createSend({ fetch, deadlines, firstByteMs: config.timeouts.firstByteMs })
 */
export function createSend(deps: SendDeps): Send {
  const connectionsOf = createOriginConnections(() => performance.now())
  return async (call) => {
    const { abort } = call
    const connections = connectionsOf(call.url)
    const isKept = NEVER_RESENT.has(call.method) && connections.isTrusted()
    const mayBeStale = isKept && connections.mayBeKept()
    call.connection = mayBeStale ? 'pooled' : 'new'
    const body = call.body instanceof Promise ? await call.body : call.body
    const firstByte = deps.deadlines.start(call.firstByteMs ?? deps.firstByteMs, () =>
      abort.abort(new ApiError('upstream_timeout')),
    )
    const upload = body instanceof ReadableStream ? watched(body, firstByte, abort) : body
    try {
      let answer = await deps.fetch(call.url, initOf(call, upload, isKept))
      connections.onAnswer(answer.status, isKept)
      const length = settleContentLength(answer.headers)
      if (isKept && (length === '0' || BODILESS.has(answer.status))) connections.onBodiless()
      if (answer.status >= 300 && answer.status < 400) {
        const redirect = slashRedirect(call, answer)
        if (redirect?.kind === 'follow') {
          await answer.body?.cancel()
          answer = await deps.fetch(redirect.to.url, initOf({ ...call, ...redirect.to }, upload, false))
          settleContentLength(answer.headers)
        } else if (redirect?.kind === 'tell') answer.headers.set('location', redirect.location)
      }
      return answer
    } catch (cause) {
      // If a connection never came about, the runtime has not touched the body.
      if (upload instanceof ReadableStream && !upload.locked) await ignoreRejection(upload.cancel())
      if (abort.signal.aborted) throw upstreamFailure(abort.signal.reason)
      if (!mayBeStale || !isReset(cause)) throw upstreamFailure(deps.diagnoseConnectFailure?.(cause) ?? cause)
      connections.onStale()
      throw upstreamFailure(new StaleConnection(cause))
    } finally {
      firstByte.clear()
    }
  }
}

/** An upload during which the clock of the first byte runs only while the upstream is waited for. */
function watched(
  body: ReadableStream<Uint8Array>,
  firstByte: Deadline,
  abort: AbortController,
): ReadableStream<Uint8Array> {
  return watchUpload(body, {
    onWait: () => firstByte.suspend(),
    onProgress: () => firstByte.touch(),
    onFailure: (cause) => abort.abort(cause),
  })
}

function initOf(call: UpstreamCall, body: UpstreamBody, keepalive: boolean): UpstreamInit {
  const { method, target, headers, abort, reach } = call
  const init = {
    method,
    target,
    headers,
    body,
    signal: abort.signal,
    redirect: 'manual' as const,
    decompress: false,
    timeout: false,
    keepalive,
  }
  return reach === undefined ? init : { ...init, ...reach }
}
