/** Where requests of a load go, and what they are; `headers` are all but `Host` and `Content-Length`. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a load of whole answers has measured. */
export interface RequestFigures {
  readonly seconds: number
  readonly requests: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What a load of streams has measured. */
export interface StreamFigures {
  readonly seconds: number
  readonly streams: number
  /** Streams that ended early, with an event missing, or with another status than 200. */
  readonly incomplete: number
  /** Events that came in the counted time, and in all. */
  readonly chunks: number
  readonly chunksInAll: number
  readonly openMax: number
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
}
