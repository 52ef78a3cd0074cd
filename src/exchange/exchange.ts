import type { JsonBody } from '../formats/json/json-body.ts'
import type { ApiError } from '../openai/api-error.ts'
import type { NamedModel } from '../openai/read-target.ts'
import type { Deadline } from '../timing/deadlines.ts'
import type { Outcome } from './outcome.ts'

/** The body of a request. It is read once, in one of the two ways. */
export interface IncomingBody {
  /** Whether all of it is here. */
  readonly isComplete: boolean
  /** Whether the memory that it takes is counted already: it has been read once. */
  readonly isCounted?: boolean
  /** Its length, where that was told in advance. */
  readonly length?: number | undefined
  /** All of it: at once where it has come, else when it has. For a body whose length was told. */
  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
  /** As it comes. */
  stream(): ReadableStream<Uint8Array>
  /**
   * Calls back when its last byte has come, with the time of that in `performance.now()`; at once where it has, and never
   * where it won't. Absent: it can't be watched.
   */
  onceArrived?(callback: (at: number) => void): void
}

/** One attempt at an upstream, for the log. */
export interface Try {
  /** The target's name in the configuration. */
  readonly target: string
  /** undefined: no answer. */
  readonly status: number | undefined
  readonly ms: number
  /** Why it was left. */
  readonly why: string | undefined
}

/** One request and its answer, from the first header to the body's last byte: what every stage is told and tells. */
export interface Exchange {
  /** Ours, or the caller's own `x-request-id` where that is a safe one. */
  readonly id: string
  /** The caller's `X-Client-Request-Id`, where it is a safe one. */
  readonly clientRequestId: string | undefined
  /** Its headers, method and URL; whoever wants its body takes `body`. */
  readonly request: Request
  /** The headers as they came: an extension may have made another request of it. */
  readonly received: Headers
  /** Whether it came by HTTP/1.0, from the client or a proxy in front. */
  readonly isHttp10: boolean
  /** Absent where the request has none; another one where it has been read and is to be read again. */
  body: IncomingBody | undefined
  /** The body as it has been parsed already. */
  readonly json: JsonBody | undefined
  /**
   * The request target exactly as it came: path and query (RFC 9112 §3.2.1). Where its path names a model, and rules or models
   * decide: as all others write the same call.
   */
  requestTarget: string
  /** The model that the target names, where that decides. */
  named: NamedModel | undefined
  /** Whose connection it came by, as far as an address tells (`server/http1/network-of.ts`); for counting, and never logged. */
  readonly from: string
  /** `performance.now()` at arrival. */
  readonly startedAt: number
  /** Aborted when the client leaves or one of our clocks runs out; its reason says which. */
  readonly abort: AbortController
  /** A name from our own route table, never the caller's path: safe as a label. */
  endpointName: string
  model: string | undefined
  /** Who is calling, by name: a token's, `caller-` and a short digest of a key, `local`; `none` where nobody was let in. */
  principal: string
  stream: boolean
  /** The upstream's own `x-request-id`, which is the one that the caller sees. */
  upstreamRequestId: string | undefined
  /** Calls that went upstream. */
  attempts: number
  /** The name of the upstream that was asked last, or whose answer is handed on. */
  upstream: string | undefined
  /** Whether the last call had a connection of its own, or one of the pool where that had one. */
  connection: 'new' | 'pooled' | undefined
  /** Each of them, where a file says what goes where. */
  tries: Try[] | undefined
  /** The numbers of the parameter rules that the request is subject to; undefined: none. */
  rules: readonly number[] | undefined
  /** What the parameter rules did to the body, such as `defaults=temperature; clamp=max_tokens`; empty: nothing. */
  params: string
  /** What the cache did with it, as `x-nexcode-cache` tells; undefined: it had no part in it. */
  cache: string | undefined
  /** Whether it got the answer of an earlier request with its `Idempotency-Key`: a finished one, or that of the call under way. */
  idempotent: 'replayed' | 'joined' | undefined
  /** false: the client's own retries would only repeat what has been tried here. */
  shouldRetry: false | undefined
  /** Whether it may be going round, so that its calls are marked (`upstream/loop-guard.ts`). */
  isMarked: boolean
  /** The limit on the whole exchange. */
  total: Deadline | undefined
  /** From arrival to the first byte of the upstream's body. */
  timeToFirstByteMs: number | undefined
  /** From the call's start to the upstream's headers. */
  upstreamMs: number | undefined
  status: number
  /** The error of ours that answered it. */
  error: ApiError | undefined
  /** Whether a body that ends later reports the end. */
  isTapped: boolean
  /** Whether the answer is the upstream's, with all headers that are to be added. */
  isDelivered: boolean
  /** Calls back when the client has sent all of its request, with the time of that in `performance.now()`; never where it doesn't. */
  onceArrived(callback: (at: number) => void): void
  /** Has something let go at the end: an admission, a clock. It is told how the exchange ended. */
  atEnd(release: (outcome: Outcome) => void): void
  /** Ends the exchange: the first call counts, and writes the one record. */
  end(outcome: Outcome, bytes: number): void
}
