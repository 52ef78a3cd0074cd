import type { Exchange } from './exchange.ts'

/** All stages after this one, and the flow. */
export type Handler<T = Exchange> = (one: T) => Promise<Response>

/**
 * A part of the flow that can be switched on: limits, cassettes, extensions, a cache. It answers by itself, or goes on with `next`, before
 * or behind which it does its work. A part that is off is in no list, and costs nothing.
 *
 * An exchange that `isUpgrade` goes through the same stages: its answer stands for a WebSocket that is opened, and has no body.
 */
export interface Stage<T = Exchange> {
  /** Its name, for a reader of the list. */
  readonly name: string
  /** Throws, or rejects with, an `ApiError` where the request ends here. */
  run(one: T, next: Handler<T>): Promise<Response>
}
