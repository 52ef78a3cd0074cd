/**
 * A request without its body, in the shape of the standard `Request`, which takes 3 µs to make. Nothing changes its headers: equal requests
 * of a connection share them.
 */
export interface BodilessRequest extends Pick<Request, 'method' | 'url' | 'headers'> {
  /** The kind of its head; undefined: nobody has compared it with others, or it was like none before. */
  readonly headKind?: HeadKind | undefined
}

/** Stands for all requests that have the same head but for the length of their body. */
export interface HeadKind {
  /** The request line and the header lines, without the value of Content-Length. They hold credentials: they may only be digested. */
  readonly text: string
}

/** The body of a request. It is read once, in one of the two ways. */
export interface IncomingBody {
  /** Whether all of it is here. */
  readonly isComplete: boolean
  /** Whether the memory that it takes is counted already: it has been read once. */
  readonly isCounted?: boolean
  /** Its length, where that was told in advance, or all of it has come before anybody read it. */
  readonly length?: number | undefined
  /** All of it: at once where it has come, else when it has. For a body whose length was told. */
  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
  /** All of it without taking it, where it is here and has not been taken; undefined: it is not. Absent: never. */
  peek?(): Uint8Array<ArrayBuffer> | undefined
  /** As it comes. */
  stream(): ReadableStream<Uint8Array>
  /**
   * Calls back when its last byte has come, with that time in `performance.now()`: at once where it has come already, never
   * where it does not come. Absent: it can't be watched.
   */
  onceArrived?(callback: (at: number) => void): void
}

/** The facts of a request that a standard `Request` can't hold: the HTTP server knows them. */
export interface Arrival {
  /** The request target exactly as it stood on the request line, before any URL parser changed it. */
  readonly target: string
  /** Whether the client, or a proxy in front, speaks HTTP/1.0. */
  readonly isHttp10: boolean
  /** Aborted with `client_closed` when the client leaves; the exchange's own clocks abort it too. */
  readonly abort: AbortController
  /** The body, where the request announces one. The HTTP server gives its own, which saves a stream: the `Request` has none then. */
  readonly body: IncomingBody | undefined
  /** The caller's network; absent: unknown. */
  readonly from?: string
}
