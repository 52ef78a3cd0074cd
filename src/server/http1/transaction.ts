import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { type ClientSocket, LINGER_MS } from './client-socket.ts'
import type { RequestHead } from './request-head.ts'
import { StreamedBody } from './streamed-body.ts'
import { type BodySource, type TransactionBody, WholeBody } from './transaction-body.ts'
import type { UploadPace } from './upload-rate.ts'

/** How the writing of a response ended. */
export type Written =
  /** All of it is written, and the connection can go on. */
  | 'complete'
  /** It broke off: the connection has to end, so that the client can tell. */
  | 'broken'
  /** It broke off, and only a reset tells: in HTTP/1.0 the end of the connection is the proper end of a body. */
  | 'reset'

/** The clocks of a request's body. */
export interface TransactionDeps {
  readonly deadlines: Deadlines
  /** The longest pause between two reads of a body that is waited for, in milliseconds; 0: no limit. */
  readonly uploadIdleMs: number
  /** The slowest rate that such a body may come at; absent: any. */
  readonly uploadPace?: UploadPace
}

/** One HTTP/1 request on a connection and its answer, from the head's arrival until the last byte has left. */
export class Transaction implements BodySource {
  readonly head: RequestHead
  readonly body: TransactionBody
  /** The caller's network, as far as its address tells. */
  readonly from: string
  /** Aborted when the client leaves, the body turns out to be malformed, or the server breaks the answer off. */
  readonly abort: AbortController
  /** Whether the connection ends with this answer. */
  isLast: boolean
  /** Whether the head of the answer has been written. */
  isAnswered = false
  /** Asked when the client leaves; `true`: the answer is read to its end all the same, since the client has all that it asked for. */
  onLeave: (() => boolean) | undefined
  readonly #socket: ClientSocket
  readonly #deps: TransactionDeps

  /** `arrived`: the bytes that have come behind the head. They are the body where they are all of it; else they have yet to be fed. */
  constructor(
    head: RequestHead,
    arrived: Buffer | undefined,
    abort: AbortController,
    socket: ClientSocket,
    deps: TransactionDeps,
  ) {
    const { bodyBytes } = head
    this.head = head
    this.from = socket.from
    this.abort = abort
    this.isLast = !head.keepsAlive
    this.#socket = socket
    this.#deps = deps
    if (bodyBytes === 0) this.body = WholeBody.NONE
    else if (arrived?.byteLength === bodyBytes) this.body = new WholeBody(arrived)
    else this.body = new StreamedBody(bodyBytes, this, deps.uploadPace)
  }

  /** Takes bytes that come while the request is under way; returns those behind its body. A malformed body breaks the transaction. */
  feed(bytes: Buffer): Buffer | undefined {
    if (this.body.isComplete) return bytes
    try {
      const rest = this.body.feed(bytes)
      this.body.settle()
      return rest
    } catch (cause) {
      this.isLast = true
      this.breakOff(cause instanceof ApiError ? cause : new ApiError('malformed_request', { cause }))
      return undefined
    }
  }

  /** Ends the transaction with a reason, wherever it is: in its body, upstream, or in its answer. */
  breakOff(reason: ApiError): void {
    this.body.fail(reason)
    if (!this.abort.signal.aborted) this.abort.abort(reason)
  }

  /** Ends the transaction of a client that is gone: at once, or when the rest of the answer has been read. */
  leave(): void {
    const reason = new ApiError('client_closed')
    if (this.onLeave?.() === true) this.body.fail(reason)
    else this.breakOff(reason)
  }

  /** Reads the rest of the client's body for a moment; drops it where it has no reader. Never rejects. */
  readRest(): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#deps.deadlines.start(LINGER_MS, resolve)
      this.body.onceOver(() => {
        limit.clear()
        resolve()
      })
      // A body that is being read is still on its way to the upstream, which takes it at its own pace.
      if (!this.body.isBeingRead) this.body.drop()
    })
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Tells a client that waits for it to send its body (RFC 9110 §10.1.1). */
  onFirstWait(): void {
    if (this.isAnswered || this.head.isHttp10) return
    if (this.head.request.headers.get('expect')?.toLowerCase() === '100-continue') this.#socket.writeContinue()
  }

  startUploadClock(onExpire: () => void): Deadline {
    return this.#deps.deadlines.start(this.#deps.uploadIdleMs, onExpire)
  }
}

/**
 * Makes a standard `Request` of a transaction, complete with its body and a signal.
 *
 * @example
 * const response = await openai.fetch(requestOf(transaction))
 */
export function requestOf({ head, body, abort }: Transaction): Request {
  const { signal } = abort
  const { url, method, headers } = head.request
  if (head.bodyBytes === 0) return new Request(url, { method, headers, signal })
  const init: RequestInit & { readonly duplex: 'half' } = {
    method,
    headers,
    body: body.stream(),
    duplex: 'half',
    signal,
  }
  return new Request(url, init)
}
