import type { Exchange } from '../exchange/exchange.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { ExtensionPrincipal } from './extension.ts'

/** What the extensions of a process need; all of it comes from the composition root. */
export interface ChainDeps {
  readonly deadlines: Deadlines
  readonly log: Log
  readonly store: Store
  readonly answers: AnswerNotes
  /** Reads a JSON body, decoded; throws, or rejects with, the `ApiError` of what is wrong with it. */
  readonly readJson: (incoming: Pick<Exchange, 'request' | 'body' | 'atEnd'>) => JsonBody | Promise<JsonBody>
  /** Reads all of a body; throws, or rejects with, the `ApiError` of what is wrong with it. */
  readonly readBytes: (incoming: HeadedBody) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
  /** What is kept of bodies counts here. */
  readonly memory: MemoryBudget
  /** The path of a request target below `/v1/`, without the query. */
  readonly endpointOf: (target: string) => string
  /** No body of more bytes is held; what an extension puts in its place goes on as it comes. */
  readonly bodyBytesMax: number
  /** What goes on behind answers; shared with the chains before and after a reload. */
  readonly pending: Set<Promise<void>>
}

/** A body and the headers that tell of it, and the end of what it is a part of. */
export interface HeadedBody extends Pick<Exchange, 'body' | 'atEnd'> {
  readonly headers: Headers
}

/** What is known of how the body of an answer of ours is to be read (`answers/body-note.ts`). */
export interface AnswerNotes {
  readonly hasBody: (answer: Response) => boolean
  /** A standard response with the same body. */
  readonly standalone: (answer: Response) => Response
}

/** One request, as the extensions are told of it. */
export interface RunFacts {
  readonly exchange: Pick<Exchange, 'id' | 'request' | 'requestTarget' | 'body' | 'abort' | 'atEnd'>
  /** The request target without a token of this server's. */
  readonly shownTarget: string
  readonly principal: ExtensionPrincipal
  /** What `context.call` asks for: a request of its own below the extensions, with the caller's principal. */
  readonly call: Forward
}

/** A request behind the extensions. */
export interface ForwardedRequest {
  /** With the caller's credentials; without its body. */
  readonly request: Request
  readonly target: string
  readonly body: Exchange['body']
  /** All of it is the caller's own: `request` and `target` are the exchange's. */
  readonly isOriginal: boolean
  /** The body as it has been parsed, where an extension has asked for that. */
  readonly json: JsonBody | undefined
}

/** What stands behind the last extension. */
export type Forward = (outgoing: ForwardedRequest) => Promise<Response>
