import type { Duplex } from 'node:stream'
export interface WebSocketRelay {
  readonly client: Duplex
  readonly head: Uint8Array
  readonly url: URL
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly timeouts: { readonly firstByteMs: number; readonly idleMs: number }
  readonly responseHeaders: readonly (readonly [string, string])[]
}
export type WebSocketOutcome = {
  readonly kind: 'complete' | 'cancelled' | 'failed'
  readonly answered: boolean
  readonly status: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly cause?: unknown
  readonly timeToFirstByteMs: number | undefined
}
export function relayWebSocket(_relay: WebSocketRelay): Promise<WebSocketOutcome> {
  return Promise.resolve({
    kind: 'failed',
    answered: false,
    status: 502,
    bytesIn: 0,
    bytesOut: 0,
    timeToFirstByteMs: undefined,
  })
}
