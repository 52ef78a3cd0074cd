import type { JsonObject, JsonValue } from './json-value.ts'

/** One request, as the endpoints see it. */
export interface SimulatedCall {
  readonly query: URLSearchParams
  /** The part of the path that stands for `{id}` in the route; empty where there is none. */
  readonly id: string
  /** Sixteen digits that only this request has: of its method, path and body. */
  readonly fingerprint: string
  /** Seconds since 1970, as OpenAI dates what it creates. */
  readonly created: number
}

/** A request whose body is a JSON object. */
export interface JsonCall extends SimulatedCall {
  readonly body: JsonObject
}

/** A form as a `Response` reads it. */
export type Form = Awaited<ReturnType<Response['formData']>>

/** A request whose body is a form with files. */
export interface FormCall extends SimulatedCall {
  readonly form: Form
}

/** An endpoint's answer, before it is sent and before any fault is put into it. */
export type SimulatedAnswer = SimulatedJson | SimulatedBytes | SimulatedEvents

/** A JSON body; the status is 200 where none is given. */
export interface SimulatedJson {
  readonly kind: 'json'
  readonly value: JsonValue
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A body of any other type; the status is 200 where none is given. */
export interface SimulatedBytes {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
  readonly status?: number
}

/** A stream of events, as Server-Sent Events frames. */
export interface SimulatedEvents {
  readonly kind: 'events'
  readonly frames: readonly string[]
  /** The frame that reports a failure after so many frames. */
  readonly failure: (message: string, framesSent: number) => string
}
