import type { BodilessRequest } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { CREDENTIAL_HEADERS } from '../formats/http/credential-headers.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { readJson } from '../requests/read-json.ts'
import { BodyMemory } from './body-memory.ts'
import { gatherBody } from './gather-body.ts'
import { ReplayableBody } from './replayable-body.ts'
import { BODY_HEADERS, type RequestParts, type RequestScope, viewRequest } from './request-view.ts'
import { haveChanged } from './watched-headers.ts'

/** A request as it leaves the chain behind the last extension. */
export interface ForwardedRequest {
  /** With the caller's credentials; without its body. */
  readonly request: BodilessRequest
  readonly target: string
  readonly body: Exchange['body']
  /** Whether all of it is the caller's own: then `request` and `target` are the exchange's. */
  readonly isOriginal: boolean
  /** The parsed body, where an extension has asked for it. */
  readonly json: JsonBody | undefined
}

/** Answers a request that has left the chain. */
export type Forward = (request: ForwardedRequest) => Promise<Response>

/** A request between two extensions. It is a class because nearly every exchange has one. */
export class ChainRequest {
  readonly #parts: RequestParts
  readonly #scope: RequestScope
  #view: Request | undefined
  #json: JsonBody | Promise<JsonBody> | undefined

  constructor(parts: RequestParts, scope: RequestScope) {
    this.#parts = parts
    this.#scope = scope
  }

  /** The path below `/v1/`. */
  get endpoint(): string {
    return endpointOf(this.#parts.target)
  }

  /** The request that an extension sees: decoded, without the caller's credentials. */
  get view(): Request {
    this.#view ??= viewRequest(this.#parts, this.#scope)
    return this.#view
  }

  /**
   * The parsed body. It is parsed once for all who ask before the request leaves the chain. Rejects with the `ApiError` of a wrong
   * body.
   */
  json(): JsonBody | Promise<JsonBody> | undefined {
    const { head, body } = this.#parts
    if (body === undefined || this.#json !== undefined) return this.#json
    const { exchange, limits } = this.#scope
    const read = readJson({ request: head, body, atEnd: exchange.atEnd.bind(exchange) }, limits)
    const note = (json: JsonBody): JsonBody => {
      body.setWhole(json.encoded ?? json.bytes)
      this.#json = json
      return json
    }
    this.#json = read instanceof Promise ? read.then(note) : note(read)
    return this.#json
  }

  /** The request that an extension has passed to `next`: this one, this one with other headers, or another. */
  passedOn(request: Request): ChainRequest | Promise<ChainRequest> {
    if (request !== this.#view) return this.#replaced(request)
    return haveChanged(request.headers) ? this.#edited(request) : this
  }

  /** The request before the extension had it, without the extension's changes to its view. */
  unchanged(): ChainRequest {
    return new ChainRequest(this.#parts, this.#scope)
  }

  /** Releases the parsed body, which the receiver frees after use: a later reader parses the body again. */
  forwarded(): ForwardedRequest {
    const { head, target, body, isOriginal } = this.#parts
    const json = this.#json instanceof Promise ? undefined : this.#json
    if (json !== undefined) this.#json = undefined
    return { request: head, target, body, isOriginal, json }
  }

  #edited(request: Request): ChainRequest {
    const headers = new Headers(request.headers)
    this.#restore(headers, CREDENTIAL_HEADERS)
    this.#restore(headers, BODY_HEADERS)
    const { head, target, body } = this.#parts
    const edited = new Request(head.url, { method: head.method, headers })
    return new ChainRequest({ head: edited, target, body, isOriginal: false }, this.#scope)
  }

  async #replaced(request: Request): Promise<ChainRequest> {
    if (!(request instanceof Request)) throw new TypeError('next takes a Request')
    if (request.bodyUsed) throw new TypeError('the body of the request for next has been read')
    const { limits, memory } = this.#scope
    const headers = new Headers(request.headers)
    this.#restore(headers, CREDENTIAL_HEADERS)
    for (const name of BODY_HEADERS) headers.delete(name)
    const gathered = request.body === null ? undefined : await gatherBody(request.body, limits.bytesMax, memory)
    if (gathered !== undefined && 'bytes' in gathered) headers.set('content-length', String(gathered.bytes.byteLength))
    const head = new Request(request.url, { method: request.method, headers })
    const body = gathered && new ReplayableBody(gathered, headers, limits.bytesMax, memory)
    const target = this.#targetOf(request.url)
    return new ChainRequest({ head, target, body, isOriginal: false }, this.#scope)
  }

  /** The target exactly as it came, where the URL is the same; else as the URL's parser writes it. */
  #targetOf(url: string): string {
    if (url === this.view.url) return this.#parts.target
    const { pathname, search } = new URL(url)
    return pathname + search
  }

  /** Puts the caller's own values back, also over those that an extension has set. */
  #restore(headers: Headers, names: readonly string[]): void {
    for (const name of names) {
      const value = this.#parts.head.headers.get(name)
      if (value === null) headers.delete(name)
      else headers.set(name, value)
    }
  }
}

/** The request as the caller sent it. */
export function originalRequest({ exchange, shownTarget, limits, clock }: Omit<RequestScope, 'memory'>): ChainRequest {
  const { request: head, requestTarget: target } = exchange
  const memory = new BodyMemory(exchange, limits)
  const body = exchange.body && new ReplayableBody(exchange.body, head.headers, limits.bytesMax, memory)
  return new ChainRequest({ head, target, body, isOriginal: true }, { exchange, shownTarget, limits, clock, memory })
}
